//! One test for each scenario of the lab. Guests are shared: see `isthmus_tests::boot`.

use isthmus_tests::{boot, for_each_scenario, scenarios};

macro_rules! tests {
    ($($module:ident::$name:ident)*) => {
        $(
            #[test]
            fn $name() {
                if let Err(error) = boot::run(stringify!($name), scenarios::LIMIT) {
                    panic!("{error:#}");
                }
            }
        )*
    };
}

for_each_scenario!(tests);
