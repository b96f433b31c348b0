"""What tests, refusals and cameras mean for whoever stands before the device, and what to do. Pure."""

from typing import NamedTuple

from config.language import Text


class Meaning(NamedTuple):
    """what: in a few words; todo: what to do. blind: it shows nothing while it lasts."""

    what: Text
    todo: Text
    blind: bool = False


_LOOK = Text("到站看传感器和接线", "look at the sensor and its wiring on the spot")

# the test that set a flag (ingest and detect), and why a camera sees nothing -> what that is
TESTS: dict[str, Meaning] = {
    "gross_range": Meaning(
        Text("超出物理上可能的范围", "beyond what is physically possible"),
        Text("查传感器、单位和换算", "look at the sensor, the unit and the factor"),
        True,
    ),
    "climatology": Meaning(
        Text("极大值，少见但可能", "an extreme, rare but possible"),
        Text("与邻站和现场核对", "compare with its neighbours and with what is seen on the spot"),
    ),
    "range": Meaning(
        Text("超出本站量程（low、high）", "outside the station's own range (low, high)"),
        Text(
            "查单位和零点；量程不对就改 stations.csv",
            "look at unit and datum; if the range is wrong mend stations.csv",
        ),
        True,
    ),
    "error_code": Meaning(
        Text("设备的故障码，不是水位", "a fault code of the device, no level"), _LOOK, True
    ),
    "spike": Meaning(Text("单点突跳", "a single spike"), _LOOK),
    "rate_of_change": Meaning(
        Text("变化比水快", "it moves faster than water does"),
        Text("看现场；是真涨就由人工决定", "look on the spot; if it is true, a person decides"),
    ),
    "step": Meaning(
        Text("无雨时突升一级", "a step up with no rain near"),
        Text("看现场：漂浮物、探头被动过？", "look on the spot: debris, a sensor that was moved?"),
    ),
    "fall": Meaning(
        Text("突然跌落，不当退水", "a sudden fall, not taken for a falling river"), _LOOK, True
    ),
    "flat_line": Meaning(
        Text("数值长时间不变", "the value has not moved for long"),
        Text("探头淤埋、冻结或卡住：去看", "buried, frozen or stuck: go and look"),
    ),
    "datum_step": Meaning(
        Text("零点像是变了", "the datum seems to have moved"),
        Text("核对水尺零点，更新阈值或基值", "check the gauge's zero, mend thresholds or the base"),
    ),
    "late_jump": Meaning(Text("迟到的读数与前后不合", "a late reading that does not fit"), _LOOK),
    "counter_reset": Meaning(
        Text("累计值归零重来", "the total began again"),
        Text(
            "设备重启或掉电：查供电；换了设备就登记维护",
            "the device started again: look at its power; if it was swapped, enter it as service",
        ),
    ),
    "counter_wrap": Meaning(
        Text("累计值到头归零", "the total came to its end and began again"),
        Text(
            "正常；在 stations.csv 写 wrap_mm 就不再存疑",
            "usual; with wrap_mm in stations.csv it is not doubted",
        ),
    ),
    "counter_jump": Meaning(
        Text("累计值突跳", "the total jumped"),
        Text("核对现场雨量筒与设备", "compare the gauge on the spot with the device"),
    ),
    "counter_rolling": Meaning(
        Text("发来的是滚动雨量，不是累计值", "it sends a rolling sum, not a running total"),
        Text(
            "把遥测终端改成发累计值；在此之前按滚动时长还原",
            "set the logger to running totals; until then it is read by the sum's length",
        ),
    ),
    "counter_gap": Meaning(
        Text("停报后的累计雨量，摊到停报期间", "rain of an outage, laid over its time"),
        Text("查通信为何中断", "find out why the link was lost"),
    ),
    "interval_gap": Meaning(
        Text("一次雨量超过一个间隔所能", "more rain than one interval holds"),
        Text("核对 sum_interval_s 与设备设置", "compare sum_interval_s with the device"),
    ),
    "rain_impossible": Meaning(
        Text("从未有过的雨量，不计", "more than ever fell anywhere, not counted"),
        Text("查单位和换算", "look at unit and factor"),
        True,
    ),
    "neighbour": Meaning(
        Text("独此一站有雨，邻站没有", "it alone has rain, its neighbours have none"),
        Text("看雷达、问现场；或有人碰了雨量筒", "ask on the spot; somebody may have touched it"),
    ),
    "waited": Meaning(
        Text("没有时间的读数在服务器等过", "readings without a time waited at the broker"),
        Text("让设备带时间上报", "let the device send a time"),
    ),
    "test_report": Meaning(
        Text("测试报", "a test report"),
        Text("有人在站上；做完就恢复定时报", "somebody is at the station; timed reports follow"),
    ),
    "address_twice": Meaning(
        Text("像有两个站用同一站址", "two stations seem to use one address"),
        Text("查两台设备的站址", "compare the addresses of the two devices"),
    ),
    "other_interval": Meaning(
        Text("雨量的时段与登记的不同", "rain over another interval than declared"),
        Text(
            "改 sum_interval_s，或改来源的时段",
            "mend sum_interval_s, or the interval of its source",
        ),
    ),
    "result_quality": Meaning(
        Text("来源自己标为存疑（resultQuality）", "its source has doubts itself (resultQuality)"),
        Text("问来源的单位", "ask whoever runs the source"),
    ),
    "historical": Meaning(
        Text("设备存着补发的", "stored by the device and sent later"),
        Text("常有：查它的链路为何断", "often: find out why its link breaks"),
    ),
    "trace": Meaning(
        Text("微量（下过，不到最小刻度）", "a trace: it rained, too little to measure"),
        Text("正常", "as it should be"),
    ),
    # cameras
    "dark": Meaning(
        Text("太暗", "too dark"), Text("查补光灯、红外", "look at lamp and infrared"), True
    ),
    "glare": Meaning(
        Text("过曝", "glare"), Text("转一点角度或加遮光罩", "turn it a little, add a hood"), True
    ),
    "fogged": Meaning(
        Text("雾或水汽", "fog, or a misted lens"),
        Text("不散就擦镜头、查加热", "if it stays: wipe the lens, look at its heater"),
        True,
    ),
    "blurred": Meaning(
        Text("模糊", "blurred"), Text("擦镜头、调焦", "wipe the lens, set the focus"), True
    ),
    "dirty": Meaning(Text("镜头脏", "a dirty lens"), Text("擦镜头", "wipe it"), True),
    "frozen": Meaning(
        Text("画面不动", "the same picture again and again"),
        Text("重启摄像机或取流程序", "start the camera again, or what pulls its pictures"),
        True,
    ),
    "moved": Meaning(
        Text("镜头被移动", "the camera was moved"),
        Text(
            "转回，或重画 cameras.csv 并改 checked",
            "turn it back, or draw cameras.csv anew with a new date in checked",
        ),
        True,
    ),
    "other shape": Meaning(
        Text("画面尺寸与 cameras.csv 不同", "the picture's size is not that of cameras.csv"),
        Text("改回码流，或改 width、height", "set the stream back, or mend width and height"),
        True,
    ),
    "no picture": Meaning(
        Text("不是图像", "no picture"), Text("查编码：要 JPEG", "look at its form: JPEG"), True
    ),
    "truncated": Meaning(
        Text("图像不完整", "cut pictures"), Text("查链路", "look at the link"), True
    ),
    "too small": Meaning(
        Text("图像太小", "too small"), Text("用大一些的码流", "take a larger stream"), True
    ),
}
# the time of a reading was not the device's: no flag, but less is known
OURS = ("time_of_receipt", "time_of_sending", "time_of_result")
# whose time a reading has: says nothing against it
WHOSE_TIME = (*OURS, "gateway_time", "network_time")

# a reason of dead letters -> what to do about it; a letter's own words come first
ADVICE: dict[str, Text] = {
    "bad_payload": Text(
        "报文不是 JSON 读数：对照 docs/devices", "no JSON of readings: compare with docs/en/devices"
    ),
    "oversize": Text("一次少发一些", "send less at once"),
    "wrong_quantity": Text(
        "主题末段要与 stations.csv 的 quantity 一致",
        "the topic must end with the quantity of stations.csv",
    ),
    "wrong_unit": Text(
        "改设备的单位，或去掉 unit 并换算好",
        "set the device's unit, or leave unit away and send it in ours",
    ),
    "bad_value": Text("value 要是数", "value must be a number"),
    "bad_time": Text(
        "time 写 RFC 3339 或 1970 年起的秒", "write time as RFC 3339 or seconds since 1970"
    ),
    "clock_ahead": Text("给设备校时（NTP），查时区", "set the device's clock, look at its zone"),
    "too_old": Text(
        "设备时钟落后，或补报超过 30 天：校时",
        "its clock is behind, or it sends what is over 30 days old",
    ),
    "bad_seq": Text("seq 要是不减的整数", "seq must be a whole number"),
    "retained": Text("在设备上关闭 retain", "switch retain off on the device"),
    "unknown_gateway": Text("把网关写进 gateways.csv", "add the gateway to gateways.csv"),
    "not_its_station": Text(
        "gateways.csv 里给这个网关加上该站", "give the gateway this station in gateways.csv"
    ),
    "bad_frame": Text("要 JPEG，不超过 2 MB", "send a JPEG of at most 2 MB"),
    "no_picture": Text(
        "查摄像机的电、网、密码；地址写对没有（camera_sources.csv）",
        "look at the camera's power, network and password, and at its address in camera_sources.csv",
    ),
    "no_room": Text("给图像盘腾地方", "make room where pictures lie"),
    "bad_crc": Text("查串口、天线、DTU 分包", "look at serial line, antenna, modem"),
    "cut_frame": Text("查串口、天线、DTU 分包", "look at serial line, antenna, modem"),
    "no_frame": Text("查协议和串口参数", "look at the protocol and the serial line"),
    "unknown_element": Text(
        "要它就写进 telemetry.csv", "add the element to telemetry.csv if it is wanted"
    ),
    "bad_password": Text(
        "telemetry.csv 的 password 与站里的要一样",
        "the password of telemetry.csv must be the station's",
    ),
    "address_twice": Text("查两台设备的站址", "compare the addresses of the two devices"),
    "no_birth": Text(
        "边缘节点不理重生请求：查它的权限（docs/devices/sparkplug.md）",
        "the edge node does not heed the request for a rebirth: look at its rights "
        "(docs/en/devices/sparkplug.md)",
    ),
    "unknown_alias": Text(
        "边缘节点不理重生请求：查它的权限（docs/devices/sparkplug.md）",
        "the edge node does not heed the request for a rebirth: look at its rights "
        "(docs/en/devices/sparkplug.md)",
    ),
    "sequence_gap": Text(
        "网络或代理在丢报文：查链路", "the network or the broker loses messages: look at the link"
    ),
    "alias_twice": Text("改边缘节点：两个量同一别名", "mend the edge node: two metrics, one alias"),
    "unknown_metric": Text(
        "sparkplug.csv 的 metric 照出生证书写", "write metric of sparkplug.csv as the birth has it"
    ),
    "unasked": Text(
        "站发来没人要的应答：查工作模式", "it answers what nobody asked: look at its mode"
    ),
    "network_error": Text(
        "到网络服务器的页面看这台设备的事件",
        "look at the device's events on the network server's page",
    ),
    "other_port": Text(
        "lorawan.csv 的 codec 要与设备相符（fengsui decode lorawan）",
        "the codec of lorawan.csv must be the device's (fengsui decode lorawan)",
    ),
    "simulated": Text(
        "网络服务器上的模拟上行，不用管", "an uplink simulated on the network server"
    ),
    "unknown_file": Text(
        "给这种文件名在 weather.toml 写一种文件", "declare files of such a name in weather.toml"
    ),
    "unknown_topic": Text("主题应为 station/站/要素", "the topic must be station/STATION/QUANTITY"),
    "not_their_area": Text(
        "contacts.csv 的 areas 里没有那个区", "that area is not among their areas in contacts.csv"
    ),
    "unclear": Text("教他们用约定的词（docs/people.md）", "teach them the words (docs/en/people.md)"),
    "too_many": Text("太频繁：过几分钟再说", "too often: wait some minutes"),
}
LOOK_AT = Text("见死信（值班台“站点”页）", "look at the dead letter (page Stations)")


def meaning(test: str) -> Meaning:
    """Of a test or of why a camera sees nothing; of one that stands in no table its name."""
    known = TESTS.get(test)
    return known or Meaning(Text(f"质控 {test}", f"quality test {test}"), _LOOK)
