//! Bugs in the protocol of claims, locks and the ledger. The checker must find a way to harm for each.

use firebreak_simulator::Mutant as StoreMutant;

/// One bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A book is written though somebody wrote it meanwhile.
    BooksUnconditional,
    /// What was done lately is not read.
    BudgetForgotten,
    /// The fence of an order is not compared with that of the claim.
    FenceIgnored,
    /// A lock that another run holds is not read.
    LocksUnread,
    /// A worker that died is never followed by another.
    NobodyReaps,
    /// A lost reply is met by calling again.
    RetriesUnknown,
    /// The intent is not on record when the call is made.
    SentUnwritten,
    /// An incident is written though somebody wrote it meanwhile.
    VersionsUnconditional,
}

impl Mutant {
    pub const ALL: &[Mutant] = &[
        // Alphabetical.
        Mutant::BooksUnconditional,
        Mutant::BudgetForgotten,
        Mutant::FenceIgnored,
        Mutant::LocksUnread,
        Mutant::NobodyReaps,
        Mutant::RetriesUnknown,
        Mutant::SentUnwritten,
        Mutant::VersionsUnconditional,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Mutant::BooksUnconditional => "books_unconditional",
            Mutant::BudgetForgotten => "budget_forgotten",
            Mutant::FenceIgnored => "fence_ignored",
            Mutant::LocksUnread => "locks_unread",
            Mutant::NobodyReaps => "nobody_reaps",
            Mutant::RetriesUnknown => "retries_unknown",
            Mutant::SentUnwritten => "sent_unwritten",
            Mutant::VersionsUnconditional => "versions_unconditional",
        }
    }

    /// The same bug as the store of the simulation has it.
    pub(crate) fn of_store(self) -> Option<StoreMutant> {
        match self {
            Mutant::BooksUnconditional => Some(StoreMutant::BooksUnconditional),
            Mutant::BudgetForgotten => Some(StoreMutant::BudgetForgotten),
            Mutant::LocksUnread => Some(StoreMutant::LocksUnread),
            Mutant::SentUnwritten => Some(StoreMutant::SentUnwritten),
            Mutant::VersionsUnconditional => Some(StoreMutant::VersionsUnconditional),
            Mutant::FenceIgnored | Mutant::NobodyReaps | Mutant::RetriesUnknown => None,
        }
    }
}
