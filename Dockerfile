# Two images of one binary: "debian" (with a shell and curl, for docker-compose.yml
# and its health check) and "static", the last and so the default, with nothing
# but the binary, certificates and time zones.
#
# They were not built where this file was written.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags nomsgpack -ldflags "-s -w" -o /out/badgebridge ./cmd/badgebridge \
	&& mkdir -p /out/data

FROM debian:bookworm-slim AS debian
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates curl tzdata \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 65532 --home-dir /data --shell /usr/sbin/nologin badgebridge
COPY --from=build /out/badgebridge /usr/local/bin/badgebridge
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV BADGEBRIDGE_LISTEN=:8080 BADGEBRIDGE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["badgebridge"]
CMD ["serve"]

FROM gcr.io/distroless/static-debian12:nonroot AS static
COPY --from=build /out/badgebridge /usr/local/bin/badgebridge
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV BADGEBRIDGE_LISTEN=:8080 BADGEBRIDGE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/badgebridge"]
CMD ["serve"]
