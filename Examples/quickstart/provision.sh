# Prepares a VM: a small site, a greeting, and what the VM says about itself.
#
#   devhost-provision run --vm NAME --ssh-config FILE Examples/quickstart/provision.sh
#   devhost-provision up Examples/quickstart/environments/dev

site=/srv/quickstart

# Files and folders of this machine. A slash at the end means the content, as with rsync.
COPY site/ "$site/"
COPY --chmod=755 hello "$site/bin/hello"

# Words of this machine, byte by byte: no quotes to think about in the VM.
ECHO "It's \"$PROVISION_VM\", prepared by $(id -un) at 100 % of \$HOME & more." "$site/greeting"

# Commands in the VM, as root; the status and the output are the command's.
if ! RUN test -e "$site/born"; then
  RUN "date -u +%FT%TZ > $site/born"
fi
system=$(RUN sh -c '. /etc/os-release; printf %s "$PRETTY_NAME"')
echo "$PROVISION_VM runs $system"

# Pipes go into the VM and out of it.
printf '%s\n' one two three | RUN tee "$site/numbers" | tr '\n' ' '
echo
RUN "$site/bin/hello"
