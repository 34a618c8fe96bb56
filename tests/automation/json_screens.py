"""`| json` over SSH after every show command that the page of JSON fields names, with the fields that it names."""

import json
import re
from pathlib import Path

from netmiko import ConnectHandler

from router import ADDRESS, HOSTNAME, OPERATOR, PASSWORD, PEER, expect

PAGE = Path(__file__).parents[2] / "daemon/src/show/JSON.md"
# What is asked for where the page has a kind of word.
WORDS = {
    "interface WORD": "interface GigabitEthernet0/0", "interfaces WORD": "interfaces GigabitEthernet0/1", "map WORD": "map VPN",
    "map tag WORD": "map tag VPN", "transform-set tag WORD": "transform-set tag TS2", "access-lists WORD": "access-lists FLOW10",
    "brief WORD": "brief GigabitEthernet0/1", "A.B.C.D A.B.C.D": "10.0.2.0 255.255.255.0", "A.B.C.D": PEER,
    "<0-1871>": "0", "<0-0>": "0", "<0-1869>": "0", "incremental-diffs WORD": "incremental-diffs nvram:startup-config",
    "differences WORD WORD": "differences nvram:startup-config system:running-config",
    "differences WORD": "differences nvram:startup-config", "user WORD": f"user {OPERATOR}", "<1-2147483647>": "1",
}


def concrete(command):
    """A command of the page as one would type it; nothing for those about IPv6, which the lab does not have."""
    for kind, word in WORDS.items():
        command = re.sub(re.escape(kind) + r"(?![\w:.])", word, command)
    if "X:X:X:X::X" in command:
        return None
    expect("WORD" not in command and "<" not in command, f"'{command}' can be typed")
    return command


def screens():
    """The commands of the page, each with the fields of its document."""
    for section in PAGE.read_text().split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        if not title.startswith("`show "):
            continue
        also = re.search(r"^Also (.*)\.$", rest, re.M)
        commands = re.findall(r"`([^`]+)`", title + (also[1] if also else ""))
        fields = {re.match(r"\w+", field)[0] for field in re.findall(r"^\| `([^`]+)` \|", rest, re.M)}
        for command in commands:
            yield concrete(command), fields


count = 0
with ConnectHandler(device_type="cisco_ios", host=ADDRESS, username=OPERATOR, password=PASSWORD, conn_timeout=60, auth_timeout=60,
                    banner_timeout=60, read_timeout_override=120) as router:
    router.save_config()
    for command, fields in screens():
        if command is None:
            continue
        text = router.send_command(f"{command} | json")
        try:
            document = json.loads(text)
        except ValueError:
            expect(False, f"'{command} | json' is JSON", text)
        expect(document["hostname"] == HOSTNAME and "command" in document and "time" in document, f"'{command} | json'", text)
        data = document["data"]
        unknown = {field for member in (data if isinstance(data, list) else [data]) for field in member} - fields
        if unknown:
            expect(False, f"'{command} | json' has only fields that the page names", sorted(unknown))
        count += 1
expect(count > 60, f"{count} show commands give JSON", count)
