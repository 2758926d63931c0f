//! The household's configuration: what `/etc/anju/anju.toml` says, once it was checked. The types
//! here hold only what is sound; a part that is not sound is absent and stands in the list of
//! faults instead. Nothing here reads files.

mod ble;
mod build;
mod channels;
mod contact;
mod device;
mod fault;
mod guard;
mod household;
mod link;
mod mqtt;
mod parse;
mod reader;
mod reference;
mod rules;
mod salvage;
mod schema;
mod system;
mod value;

pub use ble::{BleAddress, BleBinding, BleLink, BleProtocol, NoAddress};
pub use channels::{Channels, Dingtalk, Mail, Ntfy, Sms, Wecom};
pub use contact::{ChannelKind, Contact, ContactRole, Hours, Weekday};
pub use device::{
    ActiveLevel, Announcer, Bias, Binding, ButtonContact, Device, GpioBinding, I2cBinding, I2cChip,
    NetBinding, SerialBinding, SerialModel, SerialProtocol, StatusProfile, TalkProtocol,
    TalkerBinding, VoiceMeaning, VoiceWord,
};
pub use fault::{Fault, MAX_FAULTS};
pub use guard::{Guard, InactivityRule, LeftHomeRule, NotUpRule, SilentRule, TimeOfDay};
pub use household::{Funding, Household, Person, Service};
pub use link::{
    GpioBackend, GpioLink, I2cLink, Link, LinkKind, MqttDialect, MqttLink, MqttTls, MqttVersion,
    Parity, SerialLink,
};
pub use mqtt::{
    FrigateBinding, FrigateSource, JsonBinding, JsonRow, JsonSource, MqttBinding, OwnTracksBinding,
    Rtl433Binding, Zone,
};
pub use parse::{MAX_BYTES, Parsed, Serves, parse, parse_bytes, parse_with};
pub use reference::reference;
pub use rules::{
    BathroomStayRule, ClimateRule, DoorAtNightRule, LockRule, MedicationRule, OutOfBedRule,
    OwnRange, PersonAtNightRule, StrangersRule, SupplyRule, TRIAL, TestPressRule, VitalRange,
    VitalRule, VoiceRule, WaterRule,
};
pub use system::{
    CaseSwitch, JournalLimits, Modem, ModemPower, Satellite, Says, Speaker, Upstream, VoiceService,
    Web,
};
