# PostgreSQL with plv8, the production engine, for who has Docker: `docker compose up -d`.
# UNTRIED HERE: no Docker engine runs where this was written. What it rests on was read in November 2026:
# the official postgres image (which contains gnupg), and Pigsty's apt repository, which has postgresql-{14..18}-plv8 3.2.5
# for Debian 12 and 13 on amd64 and arm64. Debian itself and PostgreSQL's own apt repository have no plv8 since version 11;
# building it from source takes an hour (V8).
ARG POSTGRES=18
FROM postgres:${POSTGRES}-bookworm

ADD --chmod=644 https://repo.pigsty.io/key /etc/apt/keyrings/pigsty.asc
RUN set -eux; \
    # the key that its documentation names, and no other
    gpg --batch --show-keys --with-colons /etc/apt/keyrings/pigsty.asc \
      | grep -q '^fpr:::::::::9592A7BC7A682E7333376E09E7935D8DB9BD8B20:'; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates; \
    . /etc/os-release; \
    echo "deb [signed-by=/etc/apt/keyrings/pigsty.asc] https://repo.pigsty.io/apt/pgsql/$VERSION_CODENAME $VERSION_CODENAME main" \
      > /etc/apt/sources.list.d/pigsty.list; \
    apt-get update; \
    apt-get install -y --no-install-recommends "postgresql-$PG_MAJOR-plv8"; \
    rm -rf /var/lib/apt/lists/*
