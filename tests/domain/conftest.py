"""Settings of Hypothesis: no time limit for each example, as machines are shared."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None)
settings.load_profile("domain")
