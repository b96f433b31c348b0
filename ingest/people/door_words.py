"""What the people's door answers: its headers, and its words."""

from config.language import Text
from ingest.people.page import PLACE_SHA256
from stream.http.public_page import page_headers

HEADERS = page_headers(PLACE_SHA256)
WORDS = {
    "taken": Text("已收到，谢谢。注意安全。", "Received, thank you. Stay safe."),
    "no_code": Text(
        "已记下。预警短信或电话里有确认码的，要填上再报一次才算应答。",
        "Noted. Where the warning's SMS or call has a code, it is an answer once you send that too.",
    ),
    "coded": Text(
        "已记下，正在核对确认码：对了才算应答，不对会另发消息告诉您。",
        "Noted. The code is being checked: if it is right this is your answer, if not you get a message.",
    ),
    "no_photo": Text(
        "已收到，但照片用不了（只收 JPEG、PNG、WEBP，8 MB 以内）。",
        "Received, but the photo cannot be used (JPEG, PNG, WEBP within 8 MB).",
    ),
    "busy": Text(
        "已收到，但照片现在收不下，请稍后再发一次。",
        "Received, but there is no room for the photo now: send it again later.",
    ),
    "bad_link": Text(
        "链接无效或已停用，请联系值班室。",
        "This link is not valid or was withdrawn: call the duty room.",
    ),
    "over": Text(
        "链接已过期，请联系值班室换新的。",
        "This link is over: ask the duty room for a new one.",
    ),
    "often": Text(
        "太频繁，请一分钟后再报；紧急请打电话。",
        "Too often: wait a minute; in an emergency call.",
    ),
    "large": Text("太大，请不带照片先报。", "Too large: report without the photo first."),
    "slow": Text(
        "网络太慢，请不带照片先报。", "The network is too slow: report without the photo first."
    ),
    "not_kept": Text(
        "现在存不下，请重发或打电话。", "It cannot be kept now: send it again, or call."
    ),
    "unsafe": Text(
        "已收到。这里上楼不安全：请立即转移到安置点。",
        "Received. Upstairs is not safe here: move to the shelter now.",
    ),
    "wrong": Text("没看懂，请返回重选。", "Not understood: go back and choose."),
}
