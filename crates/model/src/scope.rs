//! Scopes: how small a world is checked, and what may go wrong in it.

/// A world to check in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    pub name: &'static str,
    pub about: &'static str,
    /// The target of each incident.
    pub incidents: &'static [&'static str],
    /// The incident of each worker. Workers of one incident bear one name: the worst that a bus can do.
    pub workers: &'static [usize],
    /// How many targets of the group may be touched.
    pub budget: u32,
    /// What may go wrong together; each is a check of its own.
    pub faults: &'static [Allowed],
}

/// How often each fault may come, in one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// A worker dies where it stands; another follows.
    pub crashes: u8,
    /// An order is carried out once more, at any later time, or with the fence of an earlier claim.
    pub redeliveries: u8,
    /// The provider's reply does not come back.
    pub lost_replies: u8,
    /// The store wrote, and its answer does not come back.
    pub lost_answers: u8,
    /// Time passes while somebody is in the middle of something.
    pub jumps: u8,
}

impl Allowed {
    pub const NOTHING: Self =
        Self { crashes: 0, redeliveries: 0, lost_replies: 0, lost_answers: 0, jumps: 0 };
    pub const CRASH: Self = Self { crashes: 1, ..Self::NOTHING };
    pub const CRASH_AND_REDELIVERY: Self = Self { redeliveries: 1, ..Self::CRASH };
    pub const CRASH_AND_JUMP: Self = Self { jumps: 1, ..Self::CRASH };
    pub const REDELIVERY: Self = Self { redeliveries: 1, ..Self::NOTHING };
    pub const JUMP: Self = Self { jumps: 1, ..Self::NOTHING };
    pub const LOST_WORDS: Self = Self { lost_replies: 1, lost_answers: 1, ..Self::NOTHING };
}

const ONE: &str = "i-0000000000000001";
const TWO: &str = "i-0000000000000002";

pub const SCOPES: &[Scope] = &[
    Scope {
        name: "one_target",
        about: "Two incidents that mean the same target.",
        incidents: &[ONE, ONE],
        workers: &[0, 1],
        budget: 2,
        faults: &[Allowed::CRASH_AND_REDELIVERY, Allowed::LOST_WORDS, Allowed::CRASH_AND_JUMP],
    },
    Scope {
        name: "one_budget",
        about: "Two incidents that mean two targets of a group in which one may be touched.",
        incidents: &[ONE, TWO],
        workers: &[0, 1],
        budget: 1,
        faults: &[Allowed::CRASH_AND_REDELIVERY, Allowed::LOST_WORDS, Allowed::CRASH_AND_JUMP],
    },
    Scope {
        name: "one_incident",
        about: "Two workers at one incident: the bus delivered twice.",
        incidents: &[ONE],
        workers: &[0, 0],
        budget: 2,
        faults: &[Allowed::CRASH_AND_REDELIVERY, Allowed::LOST_WORDS, Allowed::JUMP],
    },
];

impl Scope {
    pub fn named(name: &str) -> Option<Self> {
        SCOPES.iter().copied().find(|scope| scope.name == name)
    }

    /// One step; no cooldown, room for two runs, no member to keep: lock and budget alone must keep two runs apart.
    pub(crate) fn runbook(&self) -> String {
        let budget = self.budget;
        format!(
            r#"
runbook: restart
owner: platform
when: alert.source == "sumologic"
mode: auto
max_age: 2h
targets: {{ ec2.instance: alert.labels.instance_id }}
guards:
  cooldown: 0s
  attempts: {{ max: 5, per: 24h }}
  concurrency: 2
  keep_healthy: 0
  blast_radius: {{ group: "tag:service", max: {budget}, window: 24h }}
steps:
  - action: ec2.reboot
    verify: {{ within: 1s, fresh_after: 0s, all: [ec2.status_ok] }}
"#
        )
    }
}
