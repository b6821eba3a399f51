//! The demo as a stranger runs it.

use std::process::Command;

#[test]
fn the_demo_heals_the_shop_and_ends_by_itself() {
    let output = Command::new(env!("CARGO_BIN_EXE_firebreak"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for stage in [
        "alert.fired",
        "run.planned",
        "step.sent",
        "step.verified",
        "incident.resolved",
        "step.undone",
    ] {
        assert!(text.contains(stage), "{stage} is missing:\n{text}");
    }
    assert!(text.contains("from fault to resolved"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours in spite of NO_COLOR:\n{text}");
}
