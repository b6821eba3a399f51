//! Mutants: deliberate bugs, one at a time. A suite that does not notice one of them proves nothing.

/// One bug, and the promise that it must break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutant {
    /// A book is written though somebody wrote it meanwhile.
    BooksUnconditional,
    /// What was done lately is not read.
    BudgetForgotten,
    /// A lock that another run holds is not read.
    LocksUnread,
    /// An answer that got lost is met by calling again.
    RetriesUnknown,
    /// A slot is moved though somebody moved it meanwhile: one alert, two incidents.
    SlotsUnconditional,
    /// The kill switch always reads as off.
    SwitchUnread,
    /// A worker that died is never followed by another.
    NobodyReaps,
    /// An order is carried out without asking the record again.
    OrdersUnchecked,
    /// The intent is called for and never written down.
    SentUnwritten,
    /// An incident is written though somebody wrote it meanwhile.
    VersionsUnconditional,
}

impl Mutant {
    pub const ALL: &[Mutant] = &[
        Mutant::BooksUnconditional,
        Mutant::BudgetForgotten,
        Mutant::LocksUnread,
        Mutant::NobodyReaps,
        Mutant::OrdersUnchecked,
        Mutant::RetriesUnknown,
        Mutant::SentUnwritten,
        Mutant::SlotsUnconditional,
        Mutant::SwitchUnread,
        Mutant::VersionsUnconditional,
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Mutant::BooksUnconditional => "books_unconditional",
            Mutant::BudgetForgotten => "budget_forgotten",
            Mutant::LocksUnread => "locks_unread",
            Mutant::NobodyReaps => "nobody_reaps",
            Mutant::OrdersUnchecked => "orders_unchecked",
            Mutant::RetriesUnknown => "retries_unknown",
            Mutant::SentUnwritten => "sent_unwritten",
            Mutant::SlotsUnconditional => "slots_unconditional",
            Mutant::SwitchUnread => "switch_unread",
            Mutant::VersionsUnconditional => "versions_unconditional",
        }
    }
}
