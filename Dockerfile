# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# The dependencies are built in their own layer, so that they are built again only when they change.
# This layer has placeholder sources, and a manifest without the benchmarks and tests whose files are not copied.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[\(bench\|test\)\]\]/,/^$/d' Cargo.toml \
    && mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --features otlp \
    && rm -r src

COPY . .
# Cargo compares modification times. Those of a checkout may be older than those of the placeholders.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --features otlp --bin connect-four \
    && strip target/release/connect-four \
    && mkdir /data

# Contains glibc, certificates and an unprivileged user, but no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/connect-four /usr/local/bin/connect-four
# SQLite's files are here by default: the events and the read model. With KurrentDB the read model is
# in memory, and no volume is needed.
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
ENV LISTEN=0.0.0.0:8080 \
    EVENT_STORE=sqlite:///data/connect-four.db
EXPOSE 8080
# /livez, not /readyz: a container must not be replaced because its database is unavailable. /readyz
# is for load balancers. The check uses the address in LISTEN.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["/usr/local/bin/connect-four", "health", "/livez"]
ENTRYPOINT ["/usr/local/bin/connect-four"]
CMD ["serve"]
