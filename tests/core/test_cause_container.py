"""Why a container does not run is said in words, with its pod, the field that did it, and what to do next."""

from datetime import timedelta

import pytest
from rigs.rollouts import BEGAN, CRASHED, IMAGE_PATH, container, event, pod, revision, workload

from bot.core.cause import Cause, find
from bot.core.plan import FieldChange
from bot.core.pod import Event, Pod, Terminated
from bot.core.workload import Workload

BAD = "myapp:v-bad"
NEW = revision(2, BAD)
NOW = BEGAN + timedelta(seconds=20)
CHANGED = (FieldChange(IMAGE_PATH, "myapp:v2", BAD),)
NOT_FOUND = (
    'Failed to pull image "myapp:v-bad": rpc error: code = NotFound desc = failed to pull and unpack image '
    '"docker.io/library/myapp:v-bad": failed to resolve reference "docker.io/library/myapp:v-bad": '
    "docker.io/library/myapp:v-bad: not found"
)


def cause(
    *pods: Pod, events: tuple[Event, ...] = (), changes: tuple[FieldChange, ...] = CHANGED, of: Workload | None = None
) -> Cause:
    found = find(of or workload(BAD), NEW, pods, events, now=NOW, since=BEGAN, changes=changes)
    assert found is not None
    return found


def waiting(reason: str, message: str = "", image: str = BAD) -> Pod:
    return pod("myapp-2-a", container(image, waiting=(reason, message)))


def test_a_missing_image_is_certain_and_names_the_changed_field() -> None:
    found = cause(
        waiting("ImagePullBackOff", 'Back-off pulling image "myapp:v-bad"'),
        events=(event("myapp-2-a", "Failed", NOT_FOUND), event("myapp-2-a", "Failed", "Error: ErrImagePull")),
    )

    assert found.certain
    assert found.fault.title == "image cannot be pulled"
    assert found.fault.sentence == "The registry has no image `myapp:v-bad`."
    assert found.fault.evidence == "docker.io/library/myapp:v-bad: not found"
    assert found.blame == "the image changed from `myapp:v2` to `myapp:v-bad`"
    assert (found.fault.pod, found.fault.container, found.fault.log) == ("myapp-2-a", "web", None)


def test_a_newer_kubelet_tells_the_answer_in_the_waiting_state_itself() -> None:
    found = cause(waiting("ImagePullBackOff", f'Back-off pulling image "{BAD}": ErrImagePull: {NOT_FOUND}'))

    assert found.fault.sentence == "The registry has no image `myapp:v-bad`."


def test_the_first_failed_pull_is_enough_where_the_registry_is_clear() -> None:
    assert cause(waiting("ErrImagePull", NOT_FOUND)).certain


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("dial tcp: lookup reg.io: no such host", "The registry of `myapp:v-bad` does not answer properly."),
        ("net/http: TLS handshake timeout", "The registry of `myapp:v-bad` does not answer properly."),
        (
            "toomanyrequests: You have reached your pull rate limit",
            "The registry limits how often `myapp:v-bad` may be pulled.",
        ),
    ],
)
def test_a_registry_that_hiccups_once_is_a_hint_and_twice_is_certain(answer: str, sentence: str) -> None:
    once, twice = (cause(waiting(reason, answer)) for reason in ("ErrImagePull", "ImagePullBackOff"))

    assert (once.certain, twice.certain) == (False, True)
    assert once.fault.sentence == twice.fault.sentence == sentence


@pytest.mark.parametrize(
    ("reason", "message", "sentence"),
    [
        ("ErrImagePull", "manifest unknown", "The registry has no image `myapp:v-bad`."),
        (
            "ErrImagePull",
            "pull access denied, repository does not exist or may require authorization",
            "The registry refuses `myapp:v-bad`: it does not exist there, or the pull secret is missing or wrong.",
        ),
        (
            "ErrImagePull",
            "no match for platform in manifest: not found",
            "`myapp:v-bad` is not built for this node's platform.",
        ),
        ("InvalidImageName", "couldn't parse image name", "`myapp:v-bad` is not a valid image name."),
        ("ErrImageNeverPull", "", "`myapp:v-bad` is not on the node, and its pull policy is Never."),
        ("ErrImagePull", "something new", "The image `myapp:v-bad` cannot be pulled."),
        ("SignatureValidationFailed", "", "The image `myapp:v-bad` cannot be pulled."),
    ],
)
def test_what_the_registry_answered_is_told_in_words(reason: str, message: str, sentence: str) -> None:
    found = cause(waiting(reason, message))

    assert found.certain
    assert found.fault.sentence == sentence


def test_an_image_whose_name_sounds_like_an_answer_is_not_taken_for_one() -> None:
    found = cause(waiting("ErrImagePull", 'failed to pull "not found": boom', image="not found"))

    assert found.fault.sentence == "The image `not found` cannot be pulled."


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ('configmap "myapp-config" not found', "configuration is missing"),
        ('secret "myapp-secrets" not found', "configuration is missing"),
        ("couldn't find key DB_URL in Secret shop/myapp-secrets", "configuration is missing"),
        ("container has runAsNonRoot and image will run as root", "configuration is wrong"),
    ],
)
def test_missing_configuration_is_certain(message: str, title: str) -> None:
    path = "spec.template.spec.containers[name=web].envFrom"
    found = cause(waiting("CreateContainerConfigError", message), changes=(FieldChange(path, None, []),))

    assert found.certain
    assert found.fault.title == title
    assert found.fault.sentence == f"Container `web` cannot start: {message}."
    assert found.blame == "where the variables come from was added"


def test_a_container_that_cannot_be_started_is_certain_at_its_first_try() -> None:
    message = (
        'failed to create shim: OCI runtime create failed: exec: "serve": executable file not found in $PATH: unknown'
    )
    by_state = cause(waiting("RunContainerError", message))
    by_end = cause(pod("myapp-2-a", container(BAD, terminated=Terminated("StartError", 128, message, NOW))))

    assert by_state.certain
    assert by_end.certain
    assert by_end.fault.sentence == ('Container `web` cannot be started: "serve": executable file not found in $PATH.')


def test_the_first_crash_is_a_hint_and_the_second_is_certain() -> None:
    first = cause(pod("myapp-2-a", container(BAD, terminated=CRASHED)))
    second = cause(pod("myapp-2-a", container(BAD, restarts=1, terminated=CRASHED)))

    assert (first.certain, second.certain) == (False, True)
    assert second.fault.sentence == "Container `web` crashed 2 times; its last exit code is 1."


def test_a_crash_loop_reads_the_log_of_the_run_before() -> None:
    looping = container(BAD, restarts=2, waiting=("CrashLoopBackOff", "back-off 20s"), last=CRASHED)
    found = cause(pod("myapp-2-a", looping))

    assert found.certain
    assert found.fault.reason == "CrashLoopBackOff"
    assert found.fault.log is not None
    assert (found.fault.log.pod, found.fault.log.container, found.fault.log.previous) == ("myapp-2-a", "web", True)
    assert found.blame == "the image changed from `myapp:v2` to `myapp:v-bad`"


def test_the_log_of_a_run_that_has_just_ended_is_still_the_current_one() -> None:
    found = cause(pod("myapp-2-a", container(BAD, restarts=1, terminated=CRASHED)))

    assert found.fault.log is not None
    assert not found.fault.log.previous


def test_crashes_of_long_ago_do_not_explain_a_container_that_runs() -> None:
    old = Terminated("Error", 1, "", NOW - timedelta(days=2))
    running = pod("myapp-2-a", container(BAD, restarts=7, last=old))

    assert find(workload(BAD), NEW, [running], (), now=NOW, since=BEGAN) is None


def test_out_of_memory_names_the_limit_and_only_by_the_kubelets_own_word() -> None:
    killed = Terminated("OOMKilled", 137, "", NOW)
    found = cause(pod("myapp-2-a", container(BAD, restarts=2, waiting=("CrashLoopBackOff", ""), last=killed)))
    otherwise = cause(pod("myapp-2-a", container(BAD, restarts=2, last=Terminated("Error", 137, "", NOW))))

    assert found.fault.sentence == (
        "Container `web` was killed 3 times for using more than its memory limit of 128Mi (OOMKilled)."
    )
    assert "memory" not in otherwise.fault.sentence
    assert "137: it was killed (SIGKILL)" in otherwise.fault.sentence


def test_a_changed_memory_limit_is_blamed_before_the_image() -> None:
    limit = FieldChange("spec.template.spec.containers[name=web].resources.limits.memory", "512Mi", "128Mi")
    killed = Terminated("OOMKilled", 137, "", NOW)
    looping = pod("myapp-2-a", container(BAD, restarts=1, waiting=("CrashLoopBackOff", ""), last=killed))

    assert cause(looping, changes=(*CHANGED, limit)).blame == (
        "the resources (`limits.memory`) changed from `512Mi` to `128Mi`, and "
        "the image changed from `myapp:v2` to `myapp:v-bad`"
    )


def test_a_liveness_probe_that_kills_is_named_rather_than_the_exit_code() -> None:
    found = cause(
        pod("myapp-2-a", container(BAD, restarts=2, last=Terminated("Error", 137, "", NOW))),
        events=(
            event("myapp-2-a", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
            event("myapp-2-a", "Killing", "Container web failed liveness probe, will be restarted"),
        ),
    )

    assert found.certain
    assert found.fault.title == "liveness probe kills the container"


def test_an_init_container_that_fails_is_told_before_the_container_that_waits_for_it() -> None:
    found = cause(
        pod(
            "myapp-2-a",
            container(BAD, waiting=("PodInitializing", "")),
            container("migrate:v1", name="migrate", init=True, restarts=1, terminated=CRASHED),
        )
    )

    assert found.fault.title == "init container fails"
    assert found.fault.sentence == "Init container `migrate` crashed 2 times; its last exit code is 1."
    assert found.blame == ""  # the image of another container explains nothing here


def test_an_init_container_that_has_done_its_work_is_no_fault() -> None:
    done = Terminated("Completed", 0, "", NOW)
    states = [
        container(BAD, waiting=("PodInitializing", "")),
        container("m", name="migrate", init=True, terminated=done),
    ]

    assert find(workload(BAD), NEW, [pod("myapp-2-a", *states)], (), now=NOW, since=BEGAN) is None


def test_a_restart_that_fails_points_outside_the_object() -> None:
    path = 'spec.template.metadata.annotations."kubectl.kubernetes.io/restartedAt"'
    found = cause(waiting("ErrImagePull", NOT_FOUND), changes=(FieldChange(path, None, "2026"),))

    assert found.blame == "nothing but a restart, so look outside it: the registry, the configuration, the nodes"


def test_a_changed_variable_is_named_without_its_value() -> None:
    path = "spec.template.spec.containers[name=web].env[name=DB_PASSWORD].value"
    found = cause(
        pod("myapp-2-a", container(BAD, restarts=1, terminated=CRASHED)),
        changes=(FieldChange(path, "hunter2", "hunter3"),),
    )

    assert found.blame == "the variable `DB_PASSWORD` changed"


def test_a_certain_fault_goes_before_a_hint_and_equal_ones_are_counted() -> None:
    found = cause(
        pod("myapp-2-a", container(BAD, terminated=CRASHED)),
        pod("myapp-2-b", container(BAD, waiting=("ErrImagePull", NOT_FOUND))),
        pod("myapp-2-c", container(BAD, waiting=("ImagePullBackOff", NOT_FOUND))),
    )

    assert (found.fault.pod, found.alike) == ("myapp-2-b", 1)


def test_pods_that_leave_and_containers_that_are_ready_explain_nothing() -> None:
    leaving = pod("myapp-2-a", container(BAD, waiting=("ErrImagePull", NOT_FOUND)), deleting=True)
    well = pod("myapp-2-b", container(BAD, ready=True, restarts=4, last=CRASHED), ready=True)

    assert find(workload(BAD, replicas=1), NEW, [leaving, well], (), now=NOW, since=BEGAN) is None


def test_a_long_text_of_the_cluster_is_cut() -> None:
    found = cause(waiting("CreateContainerConfigError", "x" * 5000))

    assert len(found.fault.sentence) < 400
    assert found.fault.evidence.endswith("…")
