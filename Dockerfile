# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/ ./cmd/runner ./cmd/enqueue
# A volume takes the owner of the folder that it is mounted on.
RUN mkdir -m 0700 /data

# No shell, no package manager, no libc: two static binaries, and the
# authorities that sign the marketplace's certificate. Time zones are compiled
# into the binaries.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/runner /out/enqueue /usr/local/bin/
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build --chown=65532:65532 /data /data
ENV PATH=/usr/local/bin \
    RUNNER_DATA_DIR=/data \
    RUNNER_LOG_FORMAT=json
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["runner", "healthcheck"]
ENTRYPOINT ["runner"]
CMD ["serve"]
