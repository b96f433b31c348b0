"""What channels are called where a person reads of them."""

from config.language import Text

CHANNEL_WORDS = {
    "broadcast": Text("大喇叭", "loudspeaker"),
    "broadcast_platform": Text("应急广播平台", "broadcast platform"),
    "sms": Text("短信", "SMS"),
    "app": Text("应用", "app"),
    "voice": Text("语音电话", "call"),
    "email": Text("邮件", "mail"),
    "webhook": Text("接口", "webhook"),
    "cap": Text("CAP", "CAP"),
    "cap_push": Text("邻县", "neighbours"),
    "release": Text("12379", "12379"),
    "console": Text("值班台", "duty room"),
}
