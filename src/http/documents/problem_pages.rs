//! `/problems` and `/problems/{slug}`: documentation of the problem types, at the URL in each problem's `type`.

use super::description::DOCUMENT;
use super::page::page;
use crate::http::problem::ProblemType;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use serde_json::{Value, json as value};

use super::description::{FIVE_MINUTES, VARIES};
use super::page::escape;
use crate::http::problem::Problem;
use crate::http::request::accept::PageForm;
use crate::http::response::json;

/// `GET /problems`
pub(crate) async fn list_problems(form: PageForm) -> Response {
    let all = ProblemType::ALL.iter().copied();
    match form {
        PageForm::Json => json(
            [VARIES, FIVE_MINUTES],
            value!({"problems": all.map(summary).collect::<Vec<_>>()}),
        ),
        PageForm::Html => {
            let mut rows = String::new();
            for problem_type in all {
                let (slug, status) = (problem_type.slug(), problem_type.status().as_u16());
                let title = escape(problem_type.title());
                rows += &format!(
                    "<tr><td>{status}<td><a href=\"/problems/{slug}\"><code>{slug}</code></a>\
                     <td>{title}\n"
                );
            }
            page([VARIES], "Problems", &format!("<table>\n{rows}</table>\n"))
        }
    }
}

/// `GET /problems/{slug}`
pub(crate) async fn show_problem(
    form: PageForm,
    slug: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let slug = slug.map(|Path(slug)| slug).unwrap_or_default();
    let problem_type = ProblemType::ALL
        .iter()
        .copied()
        .find(|problem_type| problem_type.slug() == slug)
        .ok_or_else(|| {
            Problem::new(
                ProblemType::NotFound,
                "There is no problem type with this slug. GET /problems lists all problem types.",
            )
        })?;
    Ok(match form {
        PageForm::Json => {
            let mut members = summary(problem_type);
            members["meaning"] = problem_type.meaning().into();
            members["next"] = problem_type.next().into();
            members["example"] = example(problem_type).clone();
            json([VARIES, FIVE_MINUTES], members)
        }
        PageForm::Html => page([VARIES], problem_type.title(), &explanation(problem_type)),
    })
}

fn summary(problem_type: ProblemType) -> Value {
    value!({
        "type": format!("/problems/{}", problem_type.slug()),
        "title": problem_type.title(),
        "status": problem_type.status().as_u16(),
    })
}

/// The example of this type in the OpenAPI document.
fn example(problem_type: ProblemType) -> &'static Value {
    &DOCUMENT["components"]["examples"][problem_type.slug()]["value"]
}

fn explanation(problem_type: ProblemType) -> String {
    format!(
        "<p>Status {}, type <code>/problems/{}</code></p>\n\
         <p>{}</p>\n<p>{}</p>\n<pre>{}</pre>\n\
         <p><a href=\"/problems\">All problems</a></p>\n",
        escape(&problem_type.status().to_string()),
        problem_type.slug(),
        escape(problem_type.meaning()),
        escape(problem_type.next()),
        escape(&format!("{:#}", example(problem_type))),
    )
}
