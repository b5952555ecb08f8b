# Works the same whether batou or devhost-provision carries it out.
COPY provision.sh /srv/s-dev/
ECHO prepared /home/developer/provisioned
