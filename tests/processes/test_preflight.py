"""What is checked before anything starts."""

import socket
from pathlib import Path

import pytest

from cqrs_app.processes.preflight import (
    CannotStart,
    claim_data_folder,
    is_claimed,
    require_free_port,
)
from tests.processes.running import free_port


def test_a_data_folder_is_made_and_claimed(tmp_path: Path) -> None:
    with claim_data_folder(tmp_path / "deep" / "var"):
        assert (tmp_path / "deep" / "var").is_dir()


def test_a_data_folder_is_claimed_by_one_copy_at_a_time(tmp_path: Path) -> None:
    with claim_data_folder(tmp_path), pytest.raises(CannotStart, match="Another copy"):
        claim_data_folder(tmp_path)
    claim_data_folder(tmp_path).close()


def test_whether_a_data_folder_is_claimed_can_be_asked_without_claiming_it(tmp_path: Path) -> None:
    assert not is_claimed(tmp_path)
    with claim_data_folder(tmp_path):
        assert is_claimed(tmp_path)
    assert not is_claimed(tmp_path)


@pytest.mark.parametrize("below", ["", "further"])
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written .* Set DATA_DIR"):
        claim_data_folder(tmp_path / "file" / below)


def test_a_free_port_is_accepted() -> None:
    require_free_port("127.0.0.1", free_port())


def test_a_busy_port_is_named_and_the_way_out_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} .* in use. Set PORT"):
            require_free_port("127.0.0.1", port, patience=0.2)


@pytest.mark.parametrize("port", [0, 70000])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(CannotStart, match="from 1 to 65535"):
        require_free_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match="Set HOST and PORT"):
        require_free_port("192.0.2.1", 8000)  # TEST-NET-1, which is assigned to no one
