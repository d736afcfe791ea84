module headroom.dev/sandbox/monitoring

go 1.26

require github.com/GoogleCloudPlatform/prometheus-engine v0.17.2
