//! Questions that are out: which SA waits for which answer.

use std::collections::HashMap;

use super::Endpoint;
use crate::id::SaId;
use crate::output::Output;
use crate::question::{ANSWER_LIMIT, Answer, Question, QuestionId};
use crate::task::Task;
use crate::time::Instant;
use crate::timer::SaTimer;

/// The questions that wait for an answer, one an SA.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    open: HashMap<QuestionId, Open>,
    by_sa: HashMap<SaId, QuestionId>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    sa: SaId,
    question: Question,
    /// Nothing is told of the datagram that made us ask
    hushed: bool,
}

impl Questions {
    fn ask(&mut self, sa: SaId, question: Question, hushed: bool) -> QuestionId {
        self.last += 1;
        let id = QuestionId(self.last);
        let open = Open {
            sa,
            question,
            hushed,
        };
        self.open.insert(id, open);
        if let Some(old) = self.by_sa.insert(sa, id) {
            self.open.remove(&old);
        }
        id
    }

    fn take(&mut self, id: QuestionId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.by_sa.remove(&open.sa);
        Some(open)
    }

    /// The SA is gone, or waits no more; gives what it had asked.
    pub(super) fn forget(&mut self, sa: SaId) -> Option<Question> {
        let id = self.by_sa.remove(&sa)?;
        self.open.remove(&id).map(|open| open.question)
    }
}

impl Endpoint {
    /// Answers a question. An answer that is not awaited any more changes nothing.
    pub fn answer(&mut self, now: Instant, id: QuestionId, answer: Answer) {
        self.ctx.now = now;
        let Some(open) = self.questions.take(id) else {
            return;
        };
        self.cancel_sa_timer(open.sa, SaTimer::Question);
        self.ctx.talk.resume(open.hushed);
        self.give(open.sa, Task::Answer(answer));
        self.ctx.talk.over();
    }

    /// Asks on behalf of an SA.
    pub(super) fn ask(&mut self, sa: SaId, question: Question) {
        let hushed = self.ctx.talk.is_hushed();
        let id = self.questions.ask(sa, question.clone(), hushed);
        self.set_sa_timer(sa, SaTimer::Question, self.ctx.now + ANSWER_LIMIT);
        self.ctx.outputs.push_back(Output::Ask { id, question });
    }

    /// The answer did not come.
    pub(super) fn question_unanswered(&mut self, sa: SaId) {
        if let Some(question) = self.questions.forget(sa) {
            self.give(sa, Task::Unanswered(&question));
        }
    }
}
