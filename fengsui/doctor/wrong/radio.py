"""The radio of a LoRaWAN device: what is lost on the air. Pure."""

from collections.abc import Iterator

from config.language import Text
from config.records.quantity import QUANTITIES
from fengsui.doctor.case import Case, Finding, Weight
from fengsui.status.links import LOSS


def radio(case: Case, name: str) -> Iterator[Finding]:
    """Of the station that has what is told of the radio."""
    said = case.view.links.get(name, {}) if case.euis(name) else {}
    loss = QUANTITIES["frame_loss"].amount(said.get("frame_loss", (0, 0))[1])
    if loss >= LOSS:
        signal = _signal(said)
        yield Finding(
            "frames_lost",
            "link",
            Weight.DOUBT,
            Text(
                f"丢帧 {loss:.0f} %{signal.zh}", f"{loss:.0f} % of its frames are lost{signal.en}"
            ),
            Text(
                "看天线、网关远近；能调就降速率（ADR）、加网关；TTS 看 bridge 有没有断",
                "look at its antenna and the distance to gateways; let ADR lower its rate, add a gateway; "
                "with The Things Stack look whether the bridge was away",
            ),
        )


def _signal(said: dict[str, tuple[int, int]]) -> Text:
    if "rssi" not in said or "snr" not in said:
        return Text("", "")
    rssi, snr = (QUANTITIES[q].amount(said[q][1]) for q in ("rssi", "snr"))
    words = f"{rssi:.0f} dBm / {snr:.1f} dB"
    return Text(f"，信号 {words}", f", signal {words}")
