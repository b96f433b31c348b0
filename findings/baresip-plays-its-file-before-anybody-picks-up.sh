#!/usr/bin/env bash
# Finding: baresip 1.0.0 as Debian 12 ships it begins its sound source (audio_source aufile,FILE) when a 183
# with a session description comes, which is how operators send a tune while the telephone rings, and not when
# somebody picks up. The answer does not begin the file again. So a message of 3 s to a telephone that is picked
# up after 5 s has been spoken to nobody, and at the file's end baresip ends the call itself, before it was
# answered at all. A programme that calls people with a message must send silence until the event
# CALL_ESTABLISHED and only then switch the source (command ausrc).
# Needs: apt-get install baresip-core sip-tester. Loopback only.
set -euo pipefail
work=$(mktemp -d)
phone=0
trap '[ "$phone" = 0 ] || kill "$phone" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
sip=${1:-25090} media=${2:-25094}
python3 - <<'PY'
import struct, wave
with wave.open("message.wav", "wb") as w:
    w.setnchannels(1); w.setsampwidth(2); w.setframerate(8000)
    w.writeframes(b"".join(struct.pack("<h", 8000 * (i // 10 % 2)) for i in range(24000)))
PY
cat >telephone.xml <<'XML'
<?xml version="1.0"?><scenario name="rings with a tune for 5 s, then is picked up">
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 183 Session Progress
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:phone@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
<pause milliseconds="5000"/>
<recv request="CANCEL" timeout="100" ontimeout="1"/>
<label id="1"/>
</scenario>
XML
sipp -sf telephone.xml -i 127.0.0.1 -p "$sip" -mp "$media" -nostdin >sipp.log 2>&1 & phone=$!
sleep 1
cat >config <<CONFIG
module_path $(dirname "$(dpkg -L baresip-core | grep '/ctrl_tcp.so$')")
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,$work/message.wav
audio_player aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
statmode_default off
module g711.so
module aufile.so
module aubridge.so
module_app account.so
module_app menu.so
CONFIG
echo '<sip:caller@127.0.0.1>;regint=0' >accounts
touch contacts
baresip -h 2>&1 | grep -o 'baresip v[0-9.]*' | head -1 || true
baresip -f . -t 8 -e "/dial sip:phone@127.0.0.1:$sip" </dev/null >seen 2>&1 || true
grep -aoE 'SIP Progress: 183|source started|aufile: end of file|audio error .*end of file.*|Call established|terminated \(duration.*' seen | tee short
grep -q 'source started' short
grep -q 'audio error' short
if grep -q 'Call established' short; then echo "it was answered first"; exit 1; fi
echo "as described: the whole message was sent and the call was ended while it rang"
