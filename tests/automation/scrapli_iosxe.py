"""scrapli's `cisco_iosxe`: modes, one and several commands, configuration, failures, TextFSM."""

from scrapli import AuthOptions, Cli, SessionOptions
from scrapli.auth import LookupKeyValue
from scrapli.transport import Ssh2Options

from router import ADDRESS, ENABLE, FORCED_USER, HOSTNAME, INSIDE, KEY, PASSWORD, SHELL_USER, expect


def connection(**login):
    return Cli(
        host=ADDRESS,
        definition_file_or_name="cisco_iosxe",
        auth_options=AuthOptions(lookups=[LookupKeyValue(key="enable", value=ENABLE)], **login),
        session_options=SessionOptions(operation_timeout_s=120),
        transport_options=Ssh2Options(),
    )


with connection(username=SHELL_USER, password=PASSWORD) as router:
    prompt = router.get_prompt().result
    expect(prompt == f"{HOSTNAME}#", "opening the connection enables, and sets width and length", prompt)
    brief = router.send_input(input_="show ip interface brief")
    expect(not brief.failed and INSIDE in brief.result, "show ip interface brief is answered", brief.result)
    rows = brief.textfsm_parse()
    expect(any(row["ip_address"] == INSIDE for row in rows), "and parsed by TextFSM", rows)
    several = router.send_inputs(inputs=["show clock", "show crypto isakmp sa", "show users"])
    expect(not several.failed and len(several.results) == 3 and "QM_IDLE" in several.results[1], "three commands in one go are answered", several.results)
    for wrong in ("show frobnicate", "show", "show c"):
        expect(router.send_input(input_=wrong).failed, f"'{wrong}' has failed")

    router.enter_mode(requested_mode="configuration")
    lines = ["crypto isakmp policy 88", "encr aes 256", "hash sha256", "group 14", "interface GigabitEthernet0/1", "description scrapli was here"]
    made = router.send_inputs(inputs=lines, requested_mode="configuration")
    expect(not made.failed, "configuration lines and jumps between sub-modes are taken", made.results)
    refused = router.send_input(input_="crypto isakmp policy 0", requested_mode="configuration")
    expect(refused.failed, "a line out of range has failed", refused.result)
    router.enter_mode(requested_mode="privileged_exec")
    running = router.send_input(input_="show running-config | section isakmp policy 88")
    expect(" encr aes 256\n hash sha256\n" in running.result + "\n", "the lines are in the running-config", running.result)
    undo = ["no crypto isakmp policy 88", "interface GigabitEthernet0/1", "description towards the client"]
    expect(not router.send_inputs(inputs=undo, requested_mode="configuration").failed, "and can be taken back")
    saved = router.send_prompted_input(input_="copy running-config startup-config", prompt="Destination filename [startup-config]?", prompt_pattern="", response="")
    expect("[OK]" in saved.result, "copy running-config startup-config is answered", saved.result)
    router.enter_mode(requested_mode="exec")
    prompt = router.get_prompt().result
    expect(prompt == f"{HOSTNAME}>", "disable goes back to user EXEC", prompt)

with connection(username=FORCED_USER, private_key_path=KEY) as router:
    privilege = router.send_input(input_="show privilege").result
    expect(privilege == "Current privilege level is 15", "the account with ForceCommand gets in with a key", privilege)
