//! The tasks where the kernel does not answer as it should.

use std::cell::RefCell;
use std::time::Duration;

use isthmus_kernel::{ErrorKind, Kernel};
use tokio::task::LocalSet;

use super::*;
use crate::config;
use crate::testing::RouterBuilder;

const CONFIG: &str = "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.9
 set transform-set T
 match address A
ip access-list extended A
 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
interface wan0
 ip address 192.0.2.1 255.255.255.0
";

#[test]
fn a_reconcile_that_fails_is_done_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let (kernel, _events, fake) = Kernel::fake();
        fake.add_link("wan0");
        let router = RouterBuilder::on(kernel.clone()).configured(CONFIG);
        let router = Rc::new(RefCell::new(router));
        let task = tokio::task::spawn_local(follow(router.clone()));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(kernel.dump_policies().await.unwrap().len(), 0);
        fake.fail_next("list links", ErrorKind::Exhausted);
        {
            let mut router = router.borrow_mut();
            config::merge(
                &mut router.running,
                "interface wan0\n crypto map M\n",
                "test",
            );
            router.configured();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(kernel.dump_policies().await.unwrap().len(), 3);
        task.abort();
    });
}
