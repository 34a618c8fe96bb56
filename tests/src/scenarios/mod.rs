//! Every scenario by name. `Scenario::run` is called inside a kernel of its own by `main.rs`; the list in
//! `for_each_scenario` is also what makes the `#[test]`s.

pub mod access_lists;
pub mod attack;
pub mod automation;
pub mod bed;
pub mod choices;
pub mod demo;
pub mod fail_closed;
pub mod failures;
pub mod interfaces;
pub mod lab_itself;
pub mod logging;
pub mod maps;
pub mod pairs;
pub mod rekey;
pub mod screens;
pub mod startup;
pub mod storms;
pub mod survival;

use std::time::Duration;

use anyhow::Result;

/// A whole-product test.
pub struct Scenario {
    /// Its name, also of its `#[test]` and of its folder of results.
    pub name: &'static str,
    /// What it does; an error is a failure.
    pub run: fn() -> Result<()>,
}

/// How long one scenario may take on a slow machine.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Hands the path of every scenario to a macro.
#[macro_export]
macro_rules! for_each_scenario {
    ($with:ident) => {
        $with! {
            demo::demo
            lab_itself::static_tunnel
            lab_itself::clear_text_is_noticed
            lab_itself::kernel_crate
            lab_itself::strongswan_to_strongswan
            lab_itself::strongswan_to_libreswan
            pairs::peers_3des_sha_group2
            pairs::peers_des_md5_group1
            pairs::peers_gcm_ecp256
            pairs::peers_gcm_ecp384
            pairs::peers_aes128_sha_group5
            pairs::peers_sha512_group16
            pairs::peers_libreswan_ah
            pairs::peers_ah_transport
            pairs::peers_transport
            pairs::peers_gmac
            pairs::peers_null
            pairs::peers_ah
            pairs::isthmus_raises_isthmus
            pairs::isthmus_raises_isthmus_pfs
            pairs::isthmus_raises_isthmus_ah_and_esp
            pairs::isthmus_raises_isthmus_transport
            pairs::isthmus_raises_strongswan
            pairs::isthmus_raises_strongswan_pfs
            pairs::isthmus_raises_strongswan_3des_sha_group2
            pairs::isthmus_raises_strongswan_des_md5_group1
            pairs::isthmus_raises_strongswan_gcm_ecp256
            pairs::isthmus_raises_strongswan_sha512_group16
            pairs::isthmus_raises_strongswan_transport
            pairs::isthmus_raises_strongswan_gmac
            pairs::isthmus_raises_strongswan_null
            pairs::isthmus_raises_strongswan_ah
            pairs::isthmus_raises_strongswan_ah_transport
            pairs::strongswan_raises_isthmus
            pairs::strongswan_raises_isthmus_pfs
            pairs::strongswan_raises_isthmus_3des_sha_group2
            pairs::strongswan_raises_isthmus_des_md5_group1
            pairs::strongswan_raises_isthmus_gcm_ecp256
            pairs::strongswan_raises_isthmus_transport
            pairs::strongswan_raises_isthmus_ah
            pairs::isthmus_raises_libreswan
            pairs::isthmus_raises_libreswan_aes128_sha_group5
            pairs::isthmus_raises_libreswan_gcm_ecp256
            pairs::isthmus_raises_libreswan_transport
            pairs::isthmus_raises_libreswan_ah
            pairs::libreswan_raises_isthmus
            pairs::libreswan_raises_isthmus_pfs
            pairs::libreswan_raises_isthmus_gcm_ecp384
            pairs::libreswan_raises_isthmus_transport
            maps::two_entries_to_one_peer
            maps::three_peers_on_one_map
            access_lists::what_is_not_understood_does_not_leak
            access_lists::several_ports_of_one_line
            access_lists::object_groups_make_tunnels
            attack::damaged_messages_are_dropped
            attack::forged_clear_text_is_dropped
            attack::a_flood_in_the_peers_name_does_not_keep_it_out
            attack::old_quick_modes_again_change_nothing
            choices::second_choice_is_taken
            choices::next_peer_takes_over
            choices::two_lines_of_one_access_list
            choices::denied_traffic_is_left_alone
            choices::large_packets
            rekey::peers_rekey_by_volume
            rekey::rekey_by_volume
            rekey::rekey_by_volume_with_strongswan
            rekey::strongswan_rekeys_phase_2
            rekey::rekey_phase_1
            rekey::strongswan_rekeys_phase_1
            storms::volume_storm
            storms::volume_storm_with_strongswan
            storms::eight_lines_at_once
            storms::both_at_once_with_strongswan
            storms::both_at_once_with_libreswan
            storms::cleared_isakmp_with_one_way_traffic
            storms::cleared_isakmp_without_keepalives
            failures::wrong_key
            failures::wrong_key_at_strongswan
            failures::wrong_key_from_strongswan
            failures::no_common_policy
            failures::no_common_policy_from_strongswan
            failures::no_common_transform
            failures::pfs_demanded_by_responder
            failures::wrong_proxy_identities
            failures::wrong_proxy_identities_from_strongswan
            failures::wrong_proxy_identities_at_libreswan
            survival::peer_restart_is_noticed
            survival::dead_peer_is_noticed
            survival::killed_daemon_comes_back
            survival::killed_daemon_comes_back_to_strongswan
            survival::killed_daemon_under_traffic
            survival::twenty_percent_loss
            survival::twenty_percent_loss_to_strongswan
            survival::twenty_percent_loss_from_strongswan
            survival::cleared_session_comes_back
            fail_closed::interrupted_negotiations_come_back
            fail_closed::lost_configuration_stays_blocked
            fail_closed::what_does_not_act_is_blocked
            fail_closed::policies_come_before_packets
            fail_closed::another_program_empties_the_tables
            startup::unknown_line_is_kept
            startup::map_is_applied_at_any_indentation
            startup::late_interface_is_waited_for
            startup::second_daemon_is_refused
            startup::missing_capability_is_named
            startup::pasted_configuration_is_saved
            interfaces::devices_go_and_come_back
            screens::operator_at_a_terminal
            screens::tool_at_a_terminal
            automation::automation_tools
            automation::scp_client
            logging::logging_hosts
            automation::automation_ansible
        }
    };
}

macro_rules! list {
    ($($module:ident::$name:ident)*) => {
        &[$(Scenario { name: stringify!($name), run: $module::$name }),*]
    };
}

/// All scenarios of `make test`.
pub static ALL: &[Scenario] = for_each_scenario!(list);

/// What needs more than `tests/setup.sh` fetches by itself: `isthmus-lab run NAME` after `tests/setup.sh heavy`.
pub static HEAVY: &[Scenario] = &[Scenario {
    name: "automation_heavy",
    run: automation::automation_heavy,
}];
