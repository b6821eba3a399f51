//! `concurrency`: how many runs may be under way in one failure domain.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::BookKey;
use crate::trace::Ruling;

pub(super) struct Concurrency;

impl Guard for Concurrency {
    fn name(&self) -> &'static str {
        "concurrency"
    }

    fn summary(&self) -> &'static str {
        "At most so many runs at once in one group, of all runbooks together."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let most = case.runbook.guards.runs_at_once() as usize;
        if most == 0 {
            return hold("no run at all may be under way", "allow at least one in the runbook");
        }
        for group in case.observations.iter().filter_map(|seen| seen.group.as_ref()) {
            let book = case.book(&BookKey::group(&group.key));
            let others: Vec<_> = book.others_running(case.run, case.now).collect();
            if let Some(first) = others.first().filter(|_| others.len() >= most) {
                return hold(
                    format!(
                        "{}: {} runs are under way, the first for {}, at most {most} may",
                        group.key,
                        others.len(),
                        first.holder.incident
                    ),
                    format!("wait for a run to end; that one ends by {}", first.until),
                );
            }
        }
        pass(format!("fewer than {most} other runs are under way"))
    }

    fn example(&self, calm: &Scene) -> Example {
        let until = |seconds| calm.clone().running(&Scene::other(), seconds);
        Example { holds: until(1), passes: until(0) }
    }
}
