"""PyTorch's drawer of helpers; here it holds `data`: data sets, samplers and the DataLoader."""

from minigan.utils import data
