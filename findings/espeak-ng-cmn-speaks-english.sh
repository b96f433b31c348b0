#!/usr/bin/env bash
# Finding: espeak-ng 1.51 as Debian 12 ships it (1.51+dfsg-10+deb12u2) has a voice `cmn`, listed as Chinese
# (Mandarin). Given an order in Chinese characters it exits 0 and makes sound of a plausible length, but what it
# says is letters and numbers of an English voice: the phonemes begin with the switch (en). The same package's
# voice `cmn-latn-pinyin` reads the characters as Mandarin. A programme that looks at the exit status, or at the
# length of the sound, reports an evacuation order as played that nobody could have understood.
# Needs Debian 12 with its package mirror; everything goes into a temporary folder.
set -euo pipefail
want=1.51+dfsg-10+deb12u2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "espeak-ng=$want" "libespeak-ng1=$want" "espeak-ng-data=$want" libsonic0 libpcaudio0 libpulse0 libasound2 2>/dev/null
for deb in *.deb; do dpkg-deb -x "$deb" root; done
lib=$(find root/usr/lib -maxdepth 1 -type d -name '*-linux-gnu*' | head -1)
export LD_LIBRARY_PATH="$lib:$lib/pulseaudio" ESPEAK_DATA_PATH="$work/$lib/espeak-ng-data"
say() { root/usr/bin/espeak-ng -q -x -v "$1" "立即转移"; }
root/usr/bin/espeak-ng --version
wrong=$(say cmn); rc=$?
right=$(say cmn-latn-pinyin)
root/usr/bin/espeak-ng -v cmn -w wrong.wav "立即转移"
root/usr/bin/espeak-ng -v cmn-latn-pinyin -w right.wav "立即转移"
echo "cmn:             exit $rc, $wrong, $(stat -c %s wrong.wav) bytes of sound"
echo "cmn-latn-pinyin: $right, $(stat -c %s right.wav) bytes of sound"
case "$wrong" in *"(en)"*) ;; *) echo "it no longer switches to English"; exit 1 ;; esac
case "$right" in *"(en)"*) echo "this one does now"; exit 1 ;; esac
[ "$(echo "$right" | grep -o '_|' | wc -l)" = 4 ]  # four characters, four syllables
echo "as described"
