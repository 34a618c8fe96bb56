"""What every tool takes for granted of an IOS session, over a raw SSH channel: echo, line ends, type-ahead, dialogs, filters."""

import re
import time

import paramiko

from router import ADDRESS, ENABLE, FORCED_USER, HOSTNAME, KEY, OPERATOR, PASSWORD, SHELL_USER, expect

PATIENCE = 60


class Channel:
    """A shell on the router, as a terminal of 80 columns and 24 rows, the size that IOS assumes."""

    def __init__(self, **login):
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.client.connect(ADDRESS, timeout=PATIENCE, banner_timeout=PATIENCE, auth_timeout=PATIENCE, allow_agent=False,
                            look_for_keys=False, **login)
        self.shell = self.client.invoke_shell(width=80, height=24)
        self.everything = ""
        self.rest = ""

    def until(self, pattern):
        """Waits until the text since the last match matches at its end, and answers it."""
        until = time.monotonic() + PATIENCE
        while not re.search(f"(?:{pattern})\\Z", self.rest):
            self.shell.settimeout(max(0.1, until - time.monotonic()))
            try:
                new = self.shell.recv(65536).decode("utf-8", "backslashreplace")
            except TimeoutError:
                new = ""
            if not new:
                expect(False, f"'{pattern}' comes", repr(self.rest))
            self.rest += new
            self.everything += new
        text, self.rest = self.rest, ""
        return text

    def types(self, keys, pattern=None):
        """Types `keys` and waits for `pattern`, without one for a privileged prompt."""
        self.shell.sendall(keys.encode())
        return self.until(pattern or PROMPT)

    def screen(self, command):
        """What a command prints: without its echo and the prompt."""
        text = self.types(command + "\n")
        lines = text.split("\r\n")
        expect(lines[0] == command, f"the echo of '{command}' is the command once, and one line", repr(text[:300]))
        return "\n".join(lines[1:-1])

    def closed(self):
        while True:
            self.shell.settimeout(PATIENCE)
            if not self.shell.recv(65536):
                return True


PROMPT = rf"\r\n{HOSTNAME}#"
INVALID = "% Invalid input detected at '^' marker."


def line_ends(shell):
    """LF, CR and CR LF are one Enter each, no matter where a packet ends; NUL is nothing."""
    for keys in ("\n", "\r", "\r\n"):
        expect(shell.types(keys) == f"\r\n{HOSTNAME}#", f"{keys!r} gives exactly one prompt")
    text = shell.types("\x00sh\x00ow privilege\x00\n")
    expect(text == f"show privilege\r\nCurrent privilege level is 15\r\n{HOSTNAME}#", "NUL is ignored, and show privilege is the last line before the prompt", repr(text))
    text = shell.types("show clock\r\nshow privilege\r\n", rf"is 15{PROMPT}")
    expect(text.count(f"{HOSTNAME}#") == 2, "two lines ended by CR LF give two prompts", repr(text))
    text = shell.types("show foo\x03", rf"{HOSTNAME}#")
    text += shell.types("\r") + shell.types("show bar\x1e\r")
    expect(shell.types("\n") == f"\r\n{HOSTNAME}#", "after Ctrl-C and Ctrl-^ the prompt is there again", repr(text))


def widths(shell):
    for command in ("terminal width 511", "terminal width 512", "terminal width 0", "terminal length 0", "term len 0",
                    "term width 512", "terminal no monitor"):
        text = shell.types(command + "\n")
        expect(text == f"{command}\r\n{HOSTNAME}#", f"'{command}' is taken without a word", repr(text))
    long = "show running-config | include " + "x" * 400
    expect(shell.screen(long) == "", "430 characters come back unbroken")


def type_ahead(shell):
    text = shell.types("copy running-config startup-config\r\r", rf"\[OK\]{PROMPT}")
    expect("Destination filename [startup-config]? " in text, "copy takes its answer from what was typed ahead", repr(text))
    text = shell.types("copy  running-config startup-config\n", re.escape("Destination filename [startup-config]? "))
    text += shell.types("\n", rf"\[OK\]{PROMPT}")
    words = r"fail|timed out|Error|Problem|NOT|Bad|bogus|lose|abort|Not |too big|exceeds|detected\."
    expect(not re.search(words, text), "two blanks count as one, and no word of copy sounds like a failure", repr(text))
    text = shell.types("write mem\n")
    expect(text == f"write mem\r\nBuilding configuration...\r\n[OK]\r\n{HOSTNAME}#", "write mem asks nothing", repr(text))
    count = 300
    lines = "".join(f"access-list 199 permit ip host 198.51.100.{n % 250} host 192.0.2.{n // 250}\n" for n in range(count))
    shell.types("configure terminal\n" + lines + "end\nshow privilege\n", rf"is 15{PROMPT}")
    kept = shell.screen("show running-config | count ^access-list 199")
    expect(f"= {count}" in kept, f"{count} lines pasted at once are all taken", kept)
    shell.types("configure terminal\nno access-list 199\nend\nshow privilege\n", rf"is 15{PROMPT}")


def refusals(shell):
    for command, answer in (("frobnicate", INVALID), ("show frobnicate", INVALID), ("show", "% Incomplete command."),
                            ("show c", '% Ambiguous command:  "show c"'), ("show lldp", INVALID), ("show cdp", INVALID),
                            ("show vlan", INVALID), ("show switch virtual", INVALID), ("show install summary", INVALID),
                            ("show env temperature status", INVALID), ("show ipv6 interface", INVALID)):
        text = shell.screen(command)
        expect(answer in text, f"'{command}' is answered {answer}", text)
    text = shell.types("show running-config ?", rf"{HOSTNAME}#show running-config ")
    rest = shell.types("\x15\n", rf"\r\n{HOSTNAME}#")
    expect(re.search(r"^ +all ", text, re.M), "help of show running-config knows all", text + rest)


def configuration(shell):
    """Prompts of sub-modes, jumps between them, and unicon's lines."""
    text = shell.types("config term\n", r"\(config\)#")
    expect("Enter configuration commands, one per line.  End with CNTL/Z.\r\n" in text, "configure terminal has its message, with two blanks", repr(text))
    for line in ("no logging console", "line console 0", "exec-timeout 0", "line vty 0 4", "exec-timeout 0"):
        text = shell.types(line + "\n", r"\(config[^)]*\)#")
        expect(text.count("\n") == 1, f"'{line}' is taken without a word", repr(text))
    unicon = r"^(.*)\(.*(con|cfg|ipsec-profile|ca-trustpoint|gkm-local-server)\S*\)#\s?$"
    for line in ("crypto isakmp policy 99", "crypto ipsec transform-set LAST esp-aes esp-sha-hmac", "crypto map LAST 10 ipsec-isakmp",
                 "ip access-list extended LAST", "interface Loopback77", "line console 0"):
        prompt = shell.types(line + "\n", r"\([^)]*\)#").split("\r\n")[-1]
        expect(re.search(unicon, prompt), f"the prompt after '{line}' is one that unicon knows", prompt)
    undo = ("no crypto map LAST", "no crypto isakmp policy 99", "no crypto ipsec transform-set LAST", "no ip access-list extended LAST",
            "no interface Loopback77", "no line vty 0 4", "end")
    for line in undo:
        shell.types(line + "\n", rf"{HOSTNAME}(\([^)]*\))?#")


def filters(shell):
    """The filters that the resource modules of Ansible ask for: everything after the filter's word is one expression."""
    running = shell.screen("show running-config")
    for command, words in (
            ("show running-config | section ^interface", "interface GigabitEthernet0/0\n ip address"),
            ("show running-config | section ^hostname", f"hostname {HOSTNAME}"),
            ("show running-config | section ^vrf", ""),
            ("show running-config | section access-list", "ip access-list extended FLOW10\n"),
            ("show running-config | section ^ip prefix-list|^ipv6 prefix-list", ""),
            ("show running-config | include ^ip route .+ |^ipv6 route .+", "ip route 0.0.0.0 0.0.0.0 100.64.1.1"),
            ("show running-config | include ^interface|ip access-group|ipv6 traffic-filter", "interface GigabitEthernet0/1"),
            ("show running-config all | section ^service", "service "),
            ("show access-lists | include access list", "Extended IP access list FLOW10"),
            ("show logging | include Trap", "Trap logging: "),
            ("show run | section username", f"username {OPERATOR} privilege 15 secret 9 "),
            ("show arp | exclude Incomplete", "ARPA"),
            ("show processes cpu | include CPU utilization", "CPU utilization for five seconds: "),
            ("show running-config | begin ^ip access-list", "ip access-list extended FLOW10"),
            ("show running-config | include ^(crypto map|hostname) [RV]", "crypto map VPN 10 ipsec-isakmp"),
            ("show running-config | include _VPN_", "crypto map VPN"),
    ):
        text = shell.screen(command)
        expect(not re.search(r"^ *% ?[A-Z]|\^$", text, re.M) and words in text and bool(words) == bool(text.strip()), f"'{command}' filters", text)
        if "running-config |" in command and "all" not in command:
            expect(all(line in running for line in text.splitlines()), "  and prints lines of the running-config", text)


def passwords():
    """From the login to level 15, and out."""
    shell = Channel(username=SHELL_USER, password=PASSWORD)
    shell.until(rf"{HOSTNAME}>")
    text = shell.types("show privilege\n", rf"{HOSTNAME}>")
    expect("Current privilege level is 1\r\n" in text, "the session begins at level 1", repr(text))
    text = shell.types("enable\n", "Password: ")
    expect(text == "enable\r\nPassword: ", "enable asks 'Password: ' on a line of its own", repr(text))
    text = shell.types(ENABLE + "\n")
    expect(ENABLE not in text, "the secret is not echoed", repr(text))
    return shell


def command_line():
    """A command instead of a shell: `ssh router 'show clock'`."""
    for user in (SHELL_USER, FORCED_USER):
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(ADDRESS, username=user, key_filename=KEY, timeout=PATIENCE, banner_timeout=PATIENCE, auth_timeout=PATIENCE)
        _, out, _ = client.exec_command("show privilege", timeout=PATIENCE)
        text = out.read().decode()
        expect(text.startswith("Current privilege level is "), f"ssh {user}@router 'show privilege' prints the screen", text)
        client.close()


shell = passwords()
line_ends(shell)
widths(shell)
type_ahead(shell)
refusals(shell)
configuration(shell)
filters(shell)
expect("\x1b" not in shell.everything and "\r\r" not in shell.everything, "no escape sequence and no doubled CR came in the whole session")
shell.shell.sendall(b"exit\n")
expect(shell.closed(), "exit closes the channel")
command_line()
