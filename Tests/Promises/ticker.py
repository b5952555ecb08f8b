"""A guest of one sector that shows whether its memory was kept: on its console it says once that it boots, and then
counts, about three times a second. What goes on from memory goes on counting.

It also says what an image says that waits for an identity (docs/images.md), so that templates can be made of it. It
knows nothing of power buttons, so shutting it down takes the limit that devhost.cfg gives.
"""

import re
import subprocess

BOOT = "ticker: booted"
READY = "fc-warm-start: the template is ready"

# 16-bit code at 0x7c00, where a BIOS loads it; labels are resolved below. The count stands in memory, at 0x7e00.
CODE = """
        fa              ; cli
        31 c0           ; xor ax, ax
        8e d8           ; mov ds, ax
        8e d0           ; mov ss, ax
        bc 00 7c        ; mov sp, 0x7c00
        fb              ; sti
        c7 06 00 7e 00 00   ; mov word [0x7e00], 0
        be @text        ; mov si, text
 print: ac              ; lodsb
        08 c0           ; or al, al
        74 >count       ; jz count
        e8 >>put        ; call put
        eb >print       ; jmp print
 count: ff 06 00 7e     ; inc word [0x7e00]
        a1 00 7e        ; mov ax, [0x7e00]
        b9 04 00        ; mov cx, 4
 digit: c1 c0 04        ; rol ax, 4
        50              ; push ax
        24 0f           ; and al, 0x0f
        04 30           ; add al, '0'
        3c 3a           ; cmp al, '9' + 1
        72 >ready       ; jb ready
        04 27           ; add al, 'a' - '9' - 1
 ready: e8 >>put        ; call put
        58              ; pop ax
        e2 >digit       ; loop digit
        b0 0d           ; mov al, 13
        e8 >>put        ; call put
        b0 0a           ; mov al, 10
        e8 >>put        ; call put
        b9 06 00        ; mov cx, 6
  wait: f4              ; hlt, until the timer ticks, 18 times a second
        e2 >wait        ; loop wait
        eb >count       ; jmp count
   put: 52              ; push dx
        50              ; push ax
        ba fd 03        ; mov dx, 0x3fd
  busy: ec              ; in al, dx
        a8 20           ; test al, 0x20
        74 >busy        ; jz busy
        58              ; pop ax
        ba f8 03        ; mov dx, 0x3f8
        ee              ; out dx, al
        5a              ; pop dx
        c3              ; ret
  text:
"""


def sector():
    words, labels, offset = [], {}, 0
    for line in CODE.strip().splitlines():
        label, colon, code = line.split(";")[0].rpartition(":")
        if colon:
            labels[label.strip()] = offset
        for word in code.split():
            words.append((word, offset))
            offset += 2 if word.startswith(("@", ">>")) else 1
    content = b""
    for word, offset in words:
        if word.startswith("@"):
            content += (0x7C00 + labels[word[1:]]).to_bytes(2, "little")
        elif word.startswith(">>"):
            content += (labels[word[2:]] - offset - 2).to_bytes(2, "little", signed=True)
        elif word.startswith(">"):
            content += (labels[word[1:]] - offset - 1).to_bytes(1, "little", signed=True)
        else:
            content += bytes.fromhex(word)
    content += f"{BOOT}\r\n{READY}\r\n".encode() + b"\0"
    return content.ljust(510, b"\0") + b"\x55\xaa"


def make_image(path, size):
    with open(f"{path}.raw", "wb") as file:
        file.write(sector())
        file.truncate(size)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", f"{path}.raw", path], check=True)
    subprocess.run(["rm", f"{path}.raw"], check=True)


class Console:
    """What a ticker said since this began to listen."""

    def __init__(self, path):
        self.path = path
        self.start = len(self.all())

    def all(self):
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def new(self):
        return self.all()[self.start:].decode("latin-1")

    def booted(self):
        return BOOT in self.new()

    @staticmethod
    def counts(text):
        # The first line may have begun before, and the last one is not complete.
        return [int(word, 16) for word in re.findall(r"\n([0-9a-f]{4})\r", text)]
