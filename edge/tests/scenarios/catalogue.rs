//! `anju catalogue` against the guidance's list of device kinds, row by row: number, whether every home
//! gets one, name, category, and the ways in which the kind has to work at least.

use std::process::Command;

use serde_json::Value;

/// Number (with `*` for the base kit), kind, name, link/protocol of each way.
const GUIDANCE: &str = "
active-help
1* fixed-alarm 固定报警器 gpio/button mqtt/zigbee2mqtt
2 portable-alarm 可移动报警器 mqtt/zigbee2mqtt ble/bthome mqtt/rtl433
3 voice-alarm 语音报警器 serial/voice net/wyoming
4 one-touch-speaker 一键通智能音箱 gpio/button
behaviour
5* motion 人体红外探测器 gpio/pir mqtt/zigbee2mqtt
6 water-meter 智能水表 serial/cjt188 serial/mbus gpio/pulse
7 water-use 超声波用水感应 serial/modbus
8 electricity-meter 智能电表 serial/dlt645 serial/modbus mqtt/zigbee2mqtt
9 fall-detector 跌倒监测仪 serial/radar mqtt/zigbee2mqtt
10 locator 定位器 mqtt/owntracks ble/ibeacon
11 smart-badge 智能胸牌 ble/ibeacon ble/eddystone ble/bthome
12 smart-cane 智能拐杖 ble/bthome mqtt/json
13 smart-wheelchair 智能轮椅 ble/bthome mqtt/json
14 set-top-box 智能机顶盒 net/presence
safety
15* door-contact 智能门磁感应器 gpio/reed mqtt/zigbee2mqtt
16 door-lock 智能门锁 mqtt/zigbee2mqtt
17 doorbell 智能门铃 mqtt/zigbee2mqtt gpio/button mqtt/rtl433
18 camera 智能摄像头 net/onvif mqtt/frigate
19 siren 声光报警器 gpio/relay mqtt/zigbee2mqtt
health
20 sleep-monitor 睡眠呼吸监护仪 serial/radar
21 mattress 智能床垫 mqtt/json serial/radar
22 bed-strap 智能床带 mqtt/json gpio/pressure-strip
23 smart-watch 智能手表 ble/heart-rate
24 smart-band 智能手环 ble/heart-rate
25 blood-pressure 智能血压仪 ble/blood-pressure
26 oximeter 智能血氧仪 ble/oximeter
27 body-scale 智能体脂秤 ble/weight-scale ble/miscale
28 pill-box 智能药箱 mqtt/zigbee2mqtt gpio/lid mqtt/json
environment
29 smoke 烟雾感应器 mqtt/zigbee2mqtt gpio/dry-contact
30 gas 燃气报警器 mqtt/zigbee2mqtt gpio/dry-contact
31 water-leak 水浸报警器 mqtt/zigbee2mqtt gpio/dry-contact
32 climate 温湿度计 ble/bthome ble/atc ble/environment i2c/sht3x mqtt/zigbee2mqtt
33 air-quality 空气质量监测仪 serial/pms5003 i2c/scd4x mqtt/zigbee2mqtt
";

#[test]
fn the_catalogue_is_the_guidances_list() {
    let told = Command::new(env!("CARGO_BIN_EXE_anju")).args(["catalogue", "--json"]).output();
    let told: Vec<Value> = serde_json::from_slice(&told.unwrap().stdout).unwrap();
    let (mut category, mut rows) = ("", told.iter());
    for line in GUIDANCE.trim().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, kind, name, ways @ ..] = words.as_slice() else {
            category = line;
            continue;
        };
        let row = rows.next().unwrap_or_else(|| panic!("no row for {line}"));
        assert_eq!(row["number"], number.trim_end_matches('*').parse::<u64>().unwrap(), "{line}");
        assert_eq!(row["core"], number.ends_with('*'), "{line}");
        assert_eq!((&row["kind"], &row["category"]), (&(*kind).into(), &category.into()), "{line}");
        assert_eq!(row["name"]["zh-CN"], *name, "{line}");
        assert!(row["name"]["en"].as_str().is_some_and(|name| !name.is_empty()), "{line}");
        for way in ways {
            let (link, protocol) = way.split_once('/').unwrap();
            let serves = row["serves"].as_array().unwrap();
            let there = |one: &Value| one["link"] == link && one["protocol"] == protocol;
            assert!(serves.iter().any(there), "{kind} over {way}");
        }
    }
    assert_eq!(rows.next(), None);
}
