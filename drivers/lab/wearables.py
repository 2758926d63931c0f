"""Bluetooth devices for the lab: one controller that the kernel takes for its adapter, and devices
around it on a simulated air. The program that tests tells it line by line on stdin what happens;
each line is answered with "ok" or "no WHY" on stdout. It shares no code with what it tests.

  python3 wearables.py vhci

Lines:
  plain ADDRESS HEX        service data FCD2 (BTHome) from then on, with bytes as given
  locked ADDRESS KEY COUNTER HEX   the same, encrypted with this counter
  service ADDRESS UUID HEX service data of another UUID
  maker ADDRESS COMPANY HEX   manufacturer data
  silent ADDRESS           no adverts from then on
  quiet                    no adverts and no connections, of any
  heart HEX | cuff HEX | finger HEX | pulse HEX   a value of a wearable, once somebody subscribed to it
  worn ADDRESS             the wearable may be connected from then on
  pairings ADDRESS NUMBER  "no" unless it was paired with so often, and has the keys of it
  forget ADDRESS           it loses its keys
  asks ADDRESS             it asks whoever is connected to pair; "no" unless that is refused
  drop ADDRESS             the wearable hangs up
"""

import asyncio
import dataclasses
import itertools
import struct
import sys

from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData, PhysicalTransport
from bumble.device import AdvertisingType, Device, DeviceConfiguration
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Descriptor,
    Service,
)
from bumble.hci import Address, HCI_LE_Advertising_Report_Event, LeFeatureMask
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

NOTIFY = Characteristic.Properties.NOTIFY
INDICATE = Characteristic.Properties.INDICATE
READ = Characteristic.Properties.READ
PLAIN = Characteristic.Permissions.READABLE
# What a device that wants to be paired gives to strangers: nothing.
BONDED = (
    Characteristic.Permissions.READABLE
    | Characteristic.Permissions.WRITEABLE
    | Characteristic.Permissions.READ_REQUIRES_ENCRYPTION
    | Characteristic.Permissions.WRITE_REQUIRES_ENCRYPTION
)
GENERAL_BR_EDR_OFF = bytes([0x06])
# From one advert to the next, milliseconds.
INTERVAL = 250
# Longest wait for a subscriber, seconds.
DEADLINE = 60


class Air(LocalLink):
    """The library sends data of connections from a controller's random address only, while a host
    may have connected from its public one; this finds the address that the connection has."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        if transport != PhysicalTransport.LE:
            super().send_acl_data(sender_controller, destination_address, transport, data)
            return
        to = self.find_le_controller(destination_address)
        connection = sender_controller.le_connections.get(destination_address)
        source = connection.self_address if connection else sender_controller.random_address
        if to is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: to.on_link_acl_data(source, transport, data))


class Adapter(Controller):
    """Hears as a real one does: never twice with the same strength. The daemon tells nobody of an
    advert in which nothing at all has changed."""

    strengths = itertools.cycle(range(-60, -50))

    def send_hci_packet(self, packet):
        if isinstance(packet, HCI_LE_Advertising_Report_Event):
            strength = next(self.strengths)
            reports = [dataclasses.replace(one, rssi=strength) for one in packet.reports]
            packet = HCI_LE_Advertising_Report_Event(reports)
        super().send_hci_packet(packet)


class Lab:
    def __init__(self):
        self.air = Air()
        self.devices = {}
        self.values = {}
        self.pairings = {}

    async def device(self, address):
        if address not in self.devices:
            controller = Controller(address, link=self.air, public_address=address)
            host = Host(controller, AsyncPipeSink(controller))
            configuration = DeviceConfiguration(
                name="lab",
                address=Address(address),
                advertising_interval_min=INTERVAL,
                advertising_interval_max=INTERVAL,
            )
            device = Device(host=host, config=configuration)
            device.pairing_config_factory = lambda connection: PairingConfig(
                sc=True, mitm=False, bonding=True, delegate=PairingDelegate()
            )
            self.devices[address] = device
            device.on("connection", lambda connection: self.watch(address, connection))
            await device.power_on()
        return self.devices[address]

    def watch(self, address, connection):
        def paired(*_):
            self.pairings[address] = self.pairings.get(address, 0) + 1

        connection.on("pairing", paired)

    async def wearable(self, name, address, service, uuid, properties, permissions=PLAIN):
        device = await self.device(address)
        value = Characteristic(uuid, properties, permissions, b"")
        if permissions == BONDED:
            marks = device.gatt_server.make_descriptor_value(value)
            kind = GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
            value.descriptors = (Descriptor(kind, BONDED, marks),)
        device.add_service(Service(UUID(service), [value]))
        self.values[name] = (device, value, properties)
        return device

    async def advertise(self, address, fields, connectable=False):
        device = await self.device(address)
        await self.silence(device)
        data = bytes(AdvertisingData([(AdvertisingData.FLAGS, GENERAL_BR_EDR_OFF), *fields]))
        kind = AdvertisingType.UNDIRECTED
        if connectable:
            kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        await device.start_advertising(
            advertising_type=kind, auto_restart=connectable, advertising_data=data
        )

    async def obey(self, line):
        match line.split():
            case ["plain", address, data]:
                await self.service(address, "FCD2", bytes.fromhex(data))
            case ["locked", address, key, counter, data]:
                head = bytes([0x41])
                tail = struct.pack("<I", int(counter))
                nonce = bytes.fromhex(address.replace(":", "")) + b"\xd2\xfc" + head + tail
                cipher = AESCCM(bytes.fromhex(key), tag_length=4)
                sealed = cipher.encrypt(nonce, bytes.fromhex(data), None)
                await self.service(address, "FCD2", head + sealed[:-4] + tail + sealed[-4:])
            case ["service", address, uuid, data]:
                await self.service(address, uuid, bytes.fromhex(data))
            case ["maker", address, company, data]:
                data = struct.pack("<H", int(company, 16)) + bytes.fromhex(data)
                await self.advertise(
                    address, [(AdvertisingData.MANUFACTURER_SPECIFIC_DATA, data)]
                )
            case ["silent", address]:
                await self.silence(self.devices[address])
            case ["quiet"]:
                for device in self.devices.values():
                    await self.silence(device)
                    await self.hang_up(device)
            case ["worn", address]:
                await self.advertise(
                    address, [(AdvertisingData.COMPLETE_LOCAL_NAME, b"wearable")], True
                )
            case ["pairings", address, number]:
                count = self.pairings.get(address, 0)
                keys = await self.devices[address].keystore.get_all()
                if count != int(number) or bool(keys) != (count > 0):
                    raise ValueError(f"{count} pairings, {len(keys)} bonds")
            case ["asks", address]:
                device = self.devices[address]
                async with asyncio.timeout(DEADLINE):
                    while not device.connections:
                        await asyncio.sleep(0.05)
                    refused = asyncio.get_running_loop().create_future()
                    for connection in device.connections.values():
                        connection.once("pairing_failure", refused.set_result)
                        connection.request_pairing()
                    await refused
            case ["forget", address]:
                await self.devices[address].keystore.delete_all()
            case ["drop", address]:
                await self.hang_up(self.devices[address])
            case [name, data] if name in self.values:
                device, value, properties = self.values[name]
                async with asyncio.timeout(DEADLINE):
                    while not self.subscribed(device, value):
                        await asyncio.sleep(0.05)
                send = device.notify_subscribers
                if properties & INDICATE:
                    send = device.indicate_subscribers
                await send(value, bytes.fromhex(data))
            case _:
                raise ValueError("not understood")

    def subscribed(self, device, value):
        subscribers = device.gatt_server.subscribers.values()
        return any(any(marks.get(value.handle, b"")) for marks in subscribers)

    async def silence(self, device):
        if device.is_advertising:
            await device.stop_advertising()

    async def hang_up(self, device):
        for connection in list(device.connections.values()):
            await connection.disconnect()

    async def service(self, address, uuid, data):
        data = struct.pack("<H", int(uuid, 16)) + data
        await self.advertise(address, [(AdvertisingData.SERVICE_DATA_16_BIT_UUID, data)])


async def main():
    lab = Lab()
    transport = await open_transport(sys.argv[1])
    adapter = Adapter(
        "adapter",
        host_source=transport.source,
        host_sink=transport.sink,
        link=lab.air,
        public_address="F0:F0:F0:00:00:01",
    )
    # The library claims these and then sends events that the kernel does not expect with them.
    adapter.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
    await lab.wearable("heart", "F1:00:00:00:00:01", "180D", "2A37", NOTIFY)
    await lab.wearable("cuff", "F1:00:00:00:00:02", "1810", "2A35", INDICATE)
    await lab.wearable("finger", "F1:00:00:00:00:03", "1822", "2A5F", NOTIFY)
    await lab.wearable("pulse", "F1:00:00:00:00:04", "180D", "2A37", NOTIFY)
    await lab.wearable("private", "F1:00:00:00:00:05", "1810", "2A35", INDICATE, BONDED)
    await lab.wearable("intruder", "F1:00:00:00:00:06", "1810", "2A35", INDICATE, BONDED)
    watch = lab.devices["F1:00:00:00:00:01"]
    watch.add_service(Service(UUID("180F"), [Characteristic("2A19", READ, PLAIN, bytes([87]))]))
    print("ok", flush=True)

    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await lines.readline():
        try:
            await lab.obey(line.decode())
            print("ok", flush=True)
        except Exception as error:
            print("no", repr(error), flush=True)


asyncio.run(main())
