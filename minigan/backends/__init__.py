"""Switches that PyTorch programs set; here they change nothing."""

from minigan.backends import cudnn  # noqa: F401
