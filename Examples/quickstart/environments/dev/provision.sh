# The environment's script is the one that stands above, in its own folder.
cd ../..
. ./provision.sh
ECHO "$COMPONENT_QUICKSTART_MOTTO" /srv/quickstart/motto
