//! A browser with one page, in words that make tests read like what a person does and sees.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a page may take until it shows what it should.
const PATIENCE: Duration = Duration::from_secs(20);

const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    // Containers let no user namespaces be made, which the sandbox needs.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
];

/// A running Chromium. Closed when dropped.
pub(crate) struct Chromium {
    pub(crate) driver: WebDriver,
    _process: Child,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) async fn start() -> Chromium {
        let (process, url) = chromedriver().await;
        let profile = TempDir::new().expect("a folder");
        let mut wanted = DesiredCapabilities::chrome();
        let folder = format!("--user-data-dir={}", profile.path().display());
        for argument in ARGUMENTS.into_iter().chain([&folder[..]]) {
            wanted.add_arg(argument).expect("an argument");
        }
        for log in ["browser", "performance"] {
            let all = LoggingPrefsLogLevel::All;
            wanted
                .set_logging_prefs(log.to_owned(), all)
                .expect("a log");
        }
        let driver = WebDriver::new(url, wanted).await.expect("a browser");
        driver
            .set_script_timeout(PATIENCE)
            .await
            .expect("a time limit");
        Chromium {
            driver,
            _process: process,
            _profile: profile,
        }
    }

    /// A browser that shows the page at this address.
    pub(crate) async fn at(url: &str) -> Chromium {
        let chromium = Chromium::start().await;
        chromium.open(url).await;
        chromium
    }

    /// Opens a page, and waits until its script has shown it.
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect("a page");
        self.until("document.querySelector('main:not([hidden])')")
            .await;
    }

    /// Waits until this JavaScript expression is true of the page.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const holds = () => Boolean({condition});
             if (holds()) return done();
             const observer = new MutationObserver(() => {{
               if (!holds()) return;
               observer.disconnect();
               done();
             }});
             const everything = {{ subtree: true, childList: true, attributes: true, characterData: true }};
             observer.observe(document, everything);"
        );
        // Chromium ends a script that waits when its page is left, and calls that a timeout.
        let begin = Instant::now();
        while let Err(error) = self.driver.execute_async(script.clone(), vec![]).await {
            if begin.elapsed() >= PATIENCE {
                let page = self.run("document.body.innerText").await;
                panic!("not {condition}: {error}\n{page}");
            }
        }
    }

    /// Waits until an element of the page has this text in it.
    pub(crate) async fn until_text(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        self.until(&format!(
            "document.querySelector({selector})?.textContent.includes({text})"
        ))
        .await;
    }

    /// The value of this JavaScript expression.
    pub(crate) async fn run(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        let value = self.driver.execute(script, vec![]).await;
        value.expect("a script that runs").json().clone()
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        let element = self.driver.find(By::Css(selector)).await;
        let text = element.expect("an element").text().await;
        text.expect("a text")
    }

    /// Clicks on this element, as soon as the page has it.
    pub(crate) async fn click(&self, selector: &str) {
        let wanted = json!(selector);
        self.until(&format!("document.querySelector({wanted})"))
            .await;
        let element = self.driver.find(By::Css(selector)).await;
        let clicked = element.expect("an element").click().await;
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Drops a disc with a click on its column.
    pub(crate) async fn drop_into(&self, column: &str) {
        self.click(&format!(".column[data-column={column}]")).await;
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn press(&self, key: impl Into<TypingData>) {
        let keys = self.driver.action_chain().send_keys(key);
        keys.perform().await.expect("a key");
    }

    pub(crate) async fn type_into(&self, selector: &str, text: impl Into<TypingData>) {
        let element = self.driver.find(By::Css(selector)).await;
        let typed = element.expect("a field").send_keys(text).await;
        typed.expect("keys");
    }

    /// Waits until the page has this many events of the game.
    pub(crate) async fn until_events(&self, count: usize) {
        self.until(&format!(
            "document.querySelectorAll('#events > li').length === {count}"
        ))
        .await;
    }

    /// Waits until the board of this revision is shown.
    pub(crate) async fn until_revision(&self, revision: usize) {
        self.until(&format!(
            "document.getElementById('revision').textContent === '{revision}'"
        ))
        .await;
    }

    /// Waits until the page's address has this query. (Not a change of the document, so it is
    /// asked for with every frame.)
    pub(crate) async fn until_address(&self, query: &str) {
        let query = json!(query);
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const ask = () => location.search === {query} ? done() : requestAnimationFrame(ask);
             ask();"
        );
        let asked = self.driver.execute_async(script, vec![]).await;
        asked.unwrap_or_else(|error| panic!("the address has no {query}: {error}"));
    }

    /// The board as it is drawn: one line a row from the top, as the text board has them.
    pub(crate) async fn board(&self) -> String {
        let rows = self
            .run(
                "[...document.querySelectorAll('#board > svg .disc')].reduce((rows, disc) => {
                   const circle = disc.firstElementChild;
                   const [column, row] = ['cx', 'cy'].map((at) => Math.floor(circle.getAttribute(at) / 100));
                   rows[row][column] = disc.classList.contains('yellow') ? 'Y' : 'R';
                   return rows;
                 }, Array.from({ length: 6 }, () => Array(7).fill(' '))).map((row) => row.join('')).join('\\n')",
            )
            .await;
        rows.as_str().expect("text").to_owned()
    }

    /// Asks Chromium itself.
    pub(crate) async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What the console shows as an error or a warning.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("a log");
        let severe = log
            .into_iter()
            .filter(|entry| entry.level != "INFO" && entry.level != "DEBUG");
        severe.map(|entry| entry.message).collect()
    }

    /// Where all requests of the pages went. (Not those of the tab that Chromium begins with.)
    pub(crate) async fn requested(&self) -> Vec<String> {
        let log = self.driver.get_log("performance").await.expect("a log");
        let messages = log.into_iter().map(|entry| {
            let message: Value = serde_json::from_str(&entry.message).expect("JSON");
            message["message"].clone()
        });
        messages
            .filter(|message| message["method"] == "Network.requestWillBeSent")
            .map(|message| {
                let url = &message["params"]["request"]["url"];
                url.as_str().unwrap_or_default().to_owned()
            })
            .filter(|url| {
                let own = ["chrome:", "chrome-untrusted:", "data:"];
                !own.iter().any(|scheme| url.starts_with(scheme))
            })
            .collect()
    }

    pub(crate) async fn close(self) {
        self.driver.clone().quit().await.expect("it closes");
    }
}

async fn chromedriver() -> (Child, String) {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver, of the package chromium-driver");
    let stdout = process.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (process, url);
        }
    }
    panic!("chromedriver ended instead of serving");
}
