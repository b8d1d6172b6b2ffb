"""The profile of a source, from SSM's Parameter Store; remembered for a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from file_profiles.settings import FileSettings
from forceglue.profiles.reasons import FileReason, FileRefused
from forceglue.profiles.stored import parameter_name

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

    from forceglue.mapping.model.profile import FileProfile


def text_of(provider: SSMProvider, settings: FileSettings, source: str) -> str:
    """The profile's text.

    Raises:
        FileRefused: there is none for the source.
        GetParameterError: SSM does not answer.
    """
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    name = parameter_name(settings.env, source, settings.profiles)
    try:
        return str(provider.get(name, max_age=settings.remembered, decrypt=True))
    except GetParameterError as error:
        causes = {type(one).__name__ for one in (error.__cause__, error.__context__) if one is not None}
        # a folder's name may be none that a parameter can have
        if causes & {"ParameterNotFound"} or "ValidationException" in str(error):
            raise FileRefused(
                FileReason.NO_PROFILE, f"there is no profile {name}: save one, then send the file again"
            ) from None
        raise


def profile_of(text: str, name: str) -> FileProfile:
    """The profile. Raises `FileRefused` with what `profile-lint` says of it."""
    from forceglue.profiles.load import read_profile

    read = read_profile(text, name)
    if read.profile is None or not read.sound:
        told = "; ".join(f"{one.path or 'the profile'} ({one.code})" for one in read.problems if not one.warning)
        raise FileRefused(
            FileReason.BAD_PROFILE, f"the profile is not sound: {told[:1500]}. `forceglue profile-lint` says what to do"
        )
    return read.profile
