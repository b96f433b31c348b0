#!/usr/bin/env bash
# Finding: apprise 2.3.0 says of a WeCom robot that a text may hold 2,048 bytes (body_maxlen) and counts
# characters. Asked to cut what is too long (overflow=split) it makes parts of up to 2,048 characters: of a
# Chinese text that is 6,144 bytes in UTF-8, three times what the service takes, and a text of 700 to 2,048
# characters is not cut at all. (WeCom: "content ... at most 2048 bytes, UTF-8",
# developer.work.weixin.qq.com/document/path/91770; it refuses by errcode 40058 under HTTP 200, which apprise
# takes for a yes, see apprise-takes-a-refusal-for-a-yes.sh.) For DingTalk and Feishu, whose 20,000 bytes are those of
# the whole JSON, it counts 19,985 characters, and writes each Chinese one as \uXXXX: six bytes.
# The session of `requests` is given the services' documented yes, so nothing is sent to anybody.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import json, logging, apprise, requests

logging.disable(logging.CRITICAL)
apprise.NotifyBase.request_rate_per_sec = 0
asked = []


def send(self, request, **more):
    asked.append(request.body)
    answer = requests.Response()
    answer.status_code, answer._content, answer.request, answer.url = 200, b'{"errcode":0,"code":0}', request, request.url
    return answer


requests.Session.send = send
print("apprise", apprise.__version__)
for characters in (1000, 3000):
    asked.clear()
    service = apprise.Apprise.instantiate("wecombot://12345678-1234-1234-1234-123456789012?overflow=split")
    service.notify(body="水" * characters)
    sizes = [len(json.loads(body)["text"]["content"].encode()) for body in asked]
    print("wecom", characters, "characters, bytes of text sent:", *sizes)
for name, url in {"dingtalk": "dingtalk://" + "a1" * 20, "feishu": "feishu://" + "ab" * 16}.items():
    asked.clear()
    apprise.Apprise.instantiate(url + "?overflow=split").notify(body="水" * 19000)
    print(name, "19000 characters, bytes of body sent over 20000:", *(len(body) > 20000 for body in asked))
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check apprise==2.3.0
"$work/venv/bin/python" "$work/try.py" 2>/dev/null | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
apprise 2.3.0
wecom 1000 characters, bytes of text sent: 3000
wecom 3000 characters, bytes of text sent: 6144 2856
dingtalk 19000 characters, bytes of body sent over 20000: True
feishu 19000 characters, bytes of body sent over 20000: True
SEEN
echo "as described"
