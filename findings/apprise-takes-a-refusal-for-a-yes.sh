#!/usr/bin/env bash
# Finding: apprise 2.3.0 tells the caller that a DingTalk or WeCom robot took the message (notify() is True)
# when the service answers HTTP 200 with an errcode that is not 0: a wrong signature, a keyword that is missing,
# a limit that is reached. Both services refuse in just this way, always under status 200. For Feishu the same
# version does look at the code and says False; 2.2.0 does not.
# A warning that a duty officer's group never saw stands as delivered. The network is left out: the session of
# `requests` is given the service's documented refusal, so nothing is sent to anybody.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import sys, apprise, requests
ANSWERS = {
    "dingtalk": ("dingtalk://" + "a1" * 20, b'{"errcode":310000,"errmsg":"keywords not in content"}'),
    "wecom": ("wecombot://12345678-1234-1234-1234-123456789012", b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
    "feishu": ("feishu://" + "ab" * 16, b'{"code":19024,"msg":"Key Words Not Found"}'),
}
found = []
for name, (url, body) in ANSWERS.items():
    asked = []
    def send(self, request, body=body, asked=asked, **more):
        asked.append(request.url)
        answer = requests.Response()
        answer.status_code, answer._content, answer.request, answer.url = 200, body, request, request.url
        return answer
    requests.Session.send = send
    service = apprise.Apprise()
    assert service.add(url), url
    taken = service.notify(body="order to move", title="red")
    assert asked, f"{name}: nothing was sent"
    found.append(f"{name}={bool(taken)}")
print(apprise.__version__, *found)
PY
for version in 2.2.0 2.3.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install -q --disable-pip-version-check "apprise==$version"
  "$work/$version/bin/python" "$work/try.py" 2>/dev/null | tee -a "$work/seen"
done
diff "$work/seen" - <<'SEEN'
2.2.0 dingtalk=True wecom=True feishu=True
2.3.0 dingtalk=True wecom=True feishu=False
SEEN
echo "as described"
