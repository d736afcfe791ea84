# Deletes from the Pushgateway what was pushed too long ago, and what belongs to no pipeline of the stack.
# Needs what busybox has: awk, date, nc, sleep, wget. A group with an unusual name stays, and is logged each time.
set -u
folder=${TIDY_FOLDER:-/etc/tidy}
port=${PUSHGATEWAY_PORT:-9091}

find_stale() {
  awk -v oldest="$1" '
    FILENAME != "-" { if ($1 != "") known[$1] = 1; next }
    /^push_time_seconds[{]/ {
      pushed = $NF + 0
      sub(/^[^{]*[{]/, "")
      sub(/"[}] [^}]*$/, "")
      count = split($0, pairs, /",/)
      job = pipeline = path = odd = ""
      for (i = 1; i <= count; i++) {
        at = index(pairs[i], "=\"")
        label = substr(pairs[i], 1, at - 1)
        value = substr(pairs[i], at + 2)
        if (value == "") continue
        if (value !~ /^[A-Za-z0-9._-]+$/) odd = value
        if (label == "pipeline") pipeline = value
        if (label == "job") job = value
        else path = path "/" label "/" value
      }
      if (pushed >= oldest && pipeline in known) next
      if (odd != "") print "tidy: cannot delete the group of " odd > "/dev/stderr"
      else print "/metrics/job/" job path
    }' "$folder/pipelines" -
}

while :; do
  wget -q -O - "http://127.0.0.1:$port/metrics" | find_stale "$(($(date +%s) - $(cat "$folder/seconds")))" |
    while read -r path; do
      echo "tidy: deletes $path"
      printf 'DELETE %s HTTP/1.0\r\n\r\n' "$path" | nc 127.0.0.1 "$port" > /dev/null
    done
  sleep "${TIDY_EVERY:-600}"
done
