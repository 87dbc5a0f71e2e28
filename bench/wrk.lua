-- wrk's side of a measurement. "post2k" after -- sends a webhook of 2 KiB instead of a GET; the result
-- goes out as one line of JSON, exact where wrk's own report rounds.
function init(args)
  if args[1] ~= "post2k" then return end
  local head = '{"event":"payment.succeeded","id":"evt_0123456789abcdef","data":"'
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = head .. string.rep("abcdefghijklmnopqrstuvwxyz012345", 64):sub(1, 2048 - #head - 2) .. '"}'
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"bytes":%d,' ..
    '"not_2xx":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), summary.bytes,
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
