"""Properties are searched without a time limit for each example: machines are shared."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None)
settings.load_profile("domain")
