//! scratch
mod policy_input;
use policy_input::*;
#[test]
fn a() {
    let b = starter();
    for gate in ["build", "dev", "staging", "prod"] {
        for c in CATEGORIES {
            let t = std::time::Instant::now();
            let e = decide(&b, &good(&b, gate, c));
            println!("{gate} {c} {:?} {:?} {:?}", e.result, e.problem, t.elapsed());
            for x in &e.checks {
                if let Some(m) = &x.message {
                    println!("   {:?} {m}", x.result);
                }
            }
        }
    }
}
