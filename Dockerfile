# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# The dependencies are a layer of their own, built again only when they change: the sources
# are stand-ins here, and benchmarks are left out of the manifest, since they are not here.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[bench\]\]/,/^$/d' Cargo.toml \
    && mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -r src

COPY . .
# Cargo compares times, and those of a checkout may be older than the stand-ins.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin connect-four \
    && strip target/release/connect-four \
    && mkdir /data

# glibc, certificates and a user without rights; no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/connect-four /usr/local/bin/connect-four
# Where SQLite's files go when nothing else is said, the events and beside them the read model;
# with KurrentDB the read model is in memory, and no volume is needed.
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
ENV LISTEN=0.0.0.0:8080 \
    EVENT_STORE=sqlite:///data/connect-four.db
EXPOSE 8080
# Ready is what a load balancer asks; a container that is alive shall not be replaced because
# its database is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["/usr/local/bin/connect-four", "health", "http://127.0.0.1:8080/livez"]
ENTRYPOINT ["/usr/local/bin/connect-four"]
CMD ["serve"]
