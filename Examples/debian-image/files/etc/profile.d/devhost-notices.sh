# What the devhost has to tell whoever logs in. sshd shows the message of the day through PAM, which is left out here: it
# costs a login a second under emulation.
case $- in
  *i*) [ ! -d /run/motd.d ] || cat /run/motd.d/* 2>/dev/null || : ;;
esac
