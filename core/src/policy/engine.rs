//! The Rego engine: compiled once per bundle, cloned per evaluation, and run where it can do no harm.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::mpsc;
use std::time::Duration;

use regorus::Engine;
use regorus::utils::limits::ExecutionTimerConfig;

use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// The rule that holds all outcomes.
const ENTRY: &str = "data.sealwright.checks";
/// Stack of the thread that evaluates. Only pages that are used take memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;
/// Steps of the engine between two looks at the clock.
const TIMER_STEPS: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// Compiled rules.
#[derive(Clone)]
pub(super) struct Compiled(Engine);

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

impl Compiled {
    /// Parses the rule files and gives their syntax trees as JSON.
    pub(super) fn parse_modules(modules: &BTreeMap<String, String>) -> Result<(Engine, Value)> {
        let modules = modules.clone();
        on_own_thread(None, move || {
            let mut engine = Engine::new();
            engine.set_strict_builtin_errors(true);
            for (name, text) in modules {
                engine.add_policy(name.clone(), text).map_err(|e| rule_fault(&name, &e))?;
            }
            let syntax = engine.get_ast_as_json().map_err(|e| rule_fault("rules", &e))?;
            let syntax = serde_json::from_str(&syntax).map_err(|e| {
                Error::new(
                    ErrorKind::LimitExceeded,
                    format!("a rule nests too deeply to be checked: {e}; split it into named rules"),
                )
            })?;
            Ok((engine, syntax))
        })?
    }

    /// Compiles rules that were found sound, with the tables as `data.tables`.
    pub(super) fn prepare(mut engine: Engine, tables: &Value) -> Result<Self> {
        let data = serde_json::json!({ "tables": tables }).to_string();
        on_own_thread(None, move || {
            engine.add_data_json(&data).map_err(|e| rule_fault("tables", &e))?;
            // a query that evaluates no rule makes the engine analyse and schedule all of them
            engine.eval_query("true".to_owned(), false).map_err(|e| rule_fault("rules", &e))?;
            Ok(Self(engine))
        })?
    }

    /// Runs the rules over `input` (JSON) for at most `limit`; gives the object of outcomes.
    ///
    /// # Errors
    /// `POLICY_UNDECIDED` if the engine fails, panics or takes longer.
    pub(super) fn run(&self, input: String, limit: Duration) -> Result<Value> {
        let mut engine = self.0.clone();
        on_own_thread(Some(limit), move || {
            engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: TIMER_STEPS });
            let failed =
                |e: &dyn std::fmt::Display| undecided(&format!("the rules failed: {}", last_line(&e.to_string())));
            engine.set_input_json(&input).map_err(|e| failed(&e))?;
            let found = engine.eval_query(ENTRY.to_owned(), false).map_err(|e| failed(&e))?;
            let value = found.result.first().and_then(|row| row.expressions.first()).map(|found| &found.value);
            let value = value.ok_or_else(|| undecided("no rule gave an outcome"))?;
            let value = value.to_json_str().map_err(|e| failed(&e))?;
            serde_json::from_str(&value).map_err(|e| undecided(&format!("the rules gave no readable result: {e}")))
        })?
    }
}

/// Runs `work` on a thread with a large stack; a panic there, or no answer within `limit`, is an error here.
///
/// The engine looks at the clock itself, but not within a built-in function, so the wait has a bound of its own.
fn on_own_thread<T: Send + 'static>(limit: Option<Duration>, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("policy".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || drop(sender.send(work())))
        .map_err(|e| undecided(&format!("no thread could be started for the rules: {e}")).caused_by(e))?;
    let answer = match limit {
        Some(limit) => receiver.recv_timeout(limit.saturating_add(GRACE)),
        None => receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
    };
    match answer {
        Ok(answer) => {
            // it has answered, so this does not wait
            drop(thread.join());
            Ok(answer)
        }
        Err(mpsc::RecvTimeoutError::Timeout) => Err(undecided("the rules took longer than they may")),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(undecided("the engine broke down over the rules")),
    }
}

/// How much longer than the engine's own timer the caller waits, so that the engine may say it itself.
const GRACE: Duration = Duration::from_millis(250);

fn rule_fault(name: &str, e: &impl std::fmt::Display) -> Error {
    // the engine prints its own place above the text; its first line holds file and line
    let text = e.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let place = lines.iter().find_map(|line| line.strip_prefix("--> ")).unwrap_or(name);
    let cause = lines.iter().rev().find_map(|line| line.strip_prefix("error: ")).or(lines.last().copied());
    Error::new(
        ErrorKind::Malformed,
        format!("the rules at `{place}` cannot be used: {}; correct them", cause.unwrap_or("unknown fault")),
    )
    .with("place", place)
}

fn last_line(text: &str) -> String {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown fault").to_owned()
}

fn undecided(what: &str) -> Error {
    Error::new(ErrorKind::PolicyUndecided, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rego: &str, limit: Duration) -> Result<Value> {
        let text = format!("package sealwright\n\nimport rego.v1\n\n{rego}");
        let (engine, _) = Compiled::parse_modules(&BTreeMap::from([("own.rego".to_owned(), text)]))?;
        Compiled::prepare(engine, &Value::Null)?.run("{}".to_owned(), limit)
    }

    #[test]
    fn s057_rules_that_take_too_long_are_stopped() {
        let xs = (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let slow = format!(
            "xs := [{xs}]\n\nchecks[\"EV-ART-001\"] := count([1 | some a in xs; some b in xs; some c in xs; \
             some d in xs; some e in xs; a + b + c + d + e < 0])"
        );
        let started = std::time::Instant::now();
        let e = run(&slow, Duration::from_millis(100)).unwrap_err();
        assert_eq!(e.code(), "POLICY_UNDECIDED");
        assert!(e.message().contains("time limit"), "{e}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }

    #[test]
    fn s057_a_function_that_does_not_look_at_the_clock_is_not_waited_for() {
        // such functions are refused when a bundle is loaded; this is what holds if one is missed
        let endless = "checks[\"EV-ART-001\"] := count(numbers.range(1, 60000000))";
        let started = std::time::Instant::now();
        assert_eq!(run(endless, Duration::from_millis(50)).unwrap_err().code(), "POLICY_UNDECIDED");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[test]
    fn s057_a_panic_in_the_engine_is_an_error_here() {
        let e = on_own_thread::<()>(None, || panic!("a fault of the engine")).unwrap_err();
        assert_eq!((e.code(), e.message()), ("POLICY_UNDECIDED", "the engine broke down over the rules"));
        assert_eq!(run("x := 1", Duration::from_secs(1)).unwrap_err().message(), "no rule gave an outcome");
    }
}
