"""What channels are called where a person reads of them."""

CHANNEL_ZH = {
    "broadcast": "大喇叭 broadcast",
    "sms": "短信 SMS",
    "app": "应用 app",
    "voice": "语音电话 call",
    "email": "邮件 mail",
    "webhook": "接口 webhook",
    "cap": "CAP",
    "cap_push": "邻县 neighbours",
    "console": "值班台 console",
}
