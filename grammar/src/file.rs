//! What a file of configuration lines may have besides them.

/// Lines of a screen that are not part of the configuration: above `show running-config` and `show startup-config`.
const SCREEN_HEADERS: [&str; 3] = [
    "Building configuration",
    "Current configuration :",
    "Using ",
];

/// The line is of the screen that a pasted configuration was taken from.
pub fn is_screen_header(line: &str) -> bool {
    let mut headers = SCREEN_HEADERS.iter();
    headers.any(|header| line.starts_with(header))
}
