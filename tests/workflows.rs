//! The workflows call only scripts that also run locally, and use the database of `compose.yaml`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("text");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workflows() -> Vec<(String, Value)> {
    let files = fs::read_dir(root().join(".github/workflows")).expect("workflows");
    files
        .map(|file| file.expect("an entry").path())
        .map(|path| (path.display().to_string(), yaml(&path)))
        .collect()
}

/// The steps of every job, with the workflow and the job that they belong to.
fn steps() -> Vec<(String, Value)> {
    let mut steps = Vec::new();
    for (path, workflow) in workflows() {
        for (name, job) in workflow["jobs"].as_object().expect("jobs") {
            for step in job["steps"].as_array().expect("steps") {
                steps.push((format!("{path}, job {name}"), step.clone()));
            }
        }
    }
    steps
}

#[test]
fn a_step_runs_one_script_that_exists_or_uses_an_action_at_a_fixed_commit() {
    let mut scripts = 0;
    for (place, step) in steps() {
        match (step["run"].as_str(), step["uses"].as_str()) {
            (Some(command), None) => {
                let script = command.split(' ').next().expect("a word");
                assert!(script.starts_with(".ci/"), "{place} runs {command}");
                assert!(
                    !command.contains(['\n', ';', '|', '&']),
                    "{place}: {command}"
                );
                let mode = fs::metadata(root().join(script))
                    .expect(script)
                    .permissions();
                assert_eq!(mode.mode() & 0o111, 0o111, "{script} is not executable");
                scripts += 1;
            }
            (None, Some(action)) => {
                // A tag can be moved to other code, a commit cannot.
                let (_, commit) = action.split_once('@').expect("a version");
                let is_commit = commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_hexdigit());
                assert!(is_commit, "{place}: {action}");
            }
            _ => panic!("{place}: a step either runs or uses: {step}"),
        }
    }
    assert!(scripts > 5, "only {scripts} scripts");
}

#[test]
fn every_job_has_a_time_limit_and_every_workflow_states_its_permissions() {
    for (path, workflow) in workflows() {
        assert_eq!(workflow["permissions"]["contents"], "read", "{path}");
        for (name, job) in workflow["jobs"].as_object().expect("jobs") {
            assert!(job["timeout-minutes"].is_u64(), "{path}, job {name}");
        }
    }
}

#[test]
fn the_tests_use_the_database_that_compose_starts() {
    let compose = yaml(&root().join("compose.yaml"));
    let image = &compose["x-kurrentdb"]["image"];
    assert!(image.is_string());
    let ci = yaml(&root().join(".github/workflows/ci.yml"));
    let service = &ci["jobs"]["kurrentdb"]["services"]["kurrentdb"];
    assert_eq!(&service["image"], image);
    let settings = compose["x-kurrentdb-settings"]
        .as_object()
        .expect("settings");
    for (name, value) in settings {
        assert_eq!(&service["env"][name], value, "{name}");
    }
}
