//! The way of changes to the kernel: round by round, batch by batch. Called by the run loop and after each plan.

use super::*;

/// Asks the kernel for every change that is open, step by step, and comes back when all stand that can.
pub async fn enforce(router: &Shared) {
    let (kernel, turn) = {
        let router = router.borrow();
        (router.kernel.clone(), router.tunnels.policies.turn())
    };
    let _turn = turn.lock().await;
    loop {
        let doubtful = router.borrow().tunnels.policies.doubtful;
        let known = !doubtful || look_again(router, &kernel).await;
        let mut round = find_round(router).await;
        if round.changes.is_empty() {
            return;
        }
        carry_out_round(router, &kernel, &mut round, known).await;
    }
}

/// The changes of the next step. Datagrams have their turn in between.
async fn find_round(router: &Shared) -> Round {
    let (mut round, keys) = router.borrow_mut().tunnels.policies.begin_round();
    for (number, slice) in keys.chunks(SLICE).enumerate() {
        if number > 0 {
            tokio::task::yield_now().await;
        }
        let policies = &mut router.borrow_mut().tunnels.policies;
        policies.sort_out(&mut round, slice);
    }
    round
        .changes
        .sort_unstable_by_key(|(place, _)| Reverse(*place));
    round
}

/// Until it is over, or, where it was `known` what stands, until that is doubtful.
async fn carry_out_round(router: &Shared, kernel: &Kernel, round: &mut Round, known: bool) {
    loop {
        let requests = router.borrow_mut().tunnels.policies.requests(round, BATCH);
        if requests.is_empty() && round.changes.is_empty() {
            return;
        }
        let answers = kernel.submit(requests.clone()).await;
        {
            let mut router = router.borrow_mut();
            let answered = requests.iter().zip(answers);
            let troubles: Vec<Trouble> = answered
                .filter_map(|(request, answer)| router.tunnels.policies.answered(request, answer))
                .collect();
            router.tell_troubles(troubles);
        }
        let doubtful = router.borrow().tunnels.policies.doubtful;
        if round.changes.is_empty() || (known && doubtful) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Asks the kernel which policies stand, after another program touched them. False when it does not say; `insist` asks again.
async fn look_again(router: &Shared, kernel: &Kernel) -> bool {
    router.borrow_mut().tunnels.policies.doubtful = false;
    let found = kernel.dump_policies().await;
    let mut router = router.borrow_mut();
    match found {
        Ok(found) => {
            let changed = router
                .tunnels
                .policies
                .found(found.into_iter().map(|info| info.spec));
            if changed > 0 {
                router.log.system(
                    "CRYPTO",
                    Severity::Warnings,
                    "POLICY_CHANGED",
                    format!(
                        "another program changed or deleted {changed} policies of crypto maps in the kernel; they are \
                         set again"
                    ),
                );
            }
        }
        Err(error) => {
            router.tunnels.policies.doubtful = true;
            router.notice(Severity::Errors, "KERNEL", error.to_string());
            router.wake.refused.notify_one();
            return false;
        }
    }
    true
}
