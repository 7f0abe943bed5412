"""qandle: every gate a matrix of the whole circuit, multiplied to the states."""

from __future__ import annotations

import math

import qandle
import torch
from torch import Tensor

from peers import autograd
from peers.problem import LacksError, Problem, Step

DTYPES = ("float32",)
DEVICES = ("cpu",)  # its constants stay on the CPU
PACKAGES = ("qandle", "torch")
MOST_QUBITS = 10  # a process of 4.2 GB; at 12 it would be sixteen times as much


def build(problem: Problem) -> Step:
    if problem.qubits > MOST_QUBITS:
        raise LacksError("stores a 2^q × 2^q matrix for each gate: too much memory")
    modules = [circuit(problem) for _ in problem.weights]
    angles = [angle for one in modules for angle in one.circuit.layers[1].parameters()]

    def evaluate(inputs: Tensor) -> Tensor:
        chances = [one(x=own) for one, own in zip(modules, inputs.unbind(1), strict=True)]
        return 2 * torch.stack([c.view(len(inputs), -1) for c in chances], dim=1) - 1

    return autograd.own_weights(problem, evaluate, angles)


def circuit(problem: Problem) -> qandle.Circuit:
    """The chance of |0⟩ on each qubit, behind a quarter turn to the Pauli operator's basis."""
    wires = list(range(problem.qubits))
    embedding = {
        "amplitude": lambda: qandle.AmplitudeEmbedding("x", wires, normalize=True),
        "angle": lambda: qandle.AngleEmbedding("x", wires, rotation="ry"),
    }[problem.embedding]()
    ansatz = qandle.StronglyEntanglingLayer(
        wires, problem.qubits, problem.depth, remapping=None, q_params=zeros(problem)
    )
    turn, angle = {"X": (qandle.RY, -1), "Y": (qandle.RX, 1), "Z": (qandle.RX, 0)}[problem.pauli]
    quarter = torch.tensor([angle * math.pi / 2])
    turns = [turn(qubit=wire, theta=quarter, remapping=None) for wire in wires if angle]
    layers = [embedding, ansatz, *turns, qandle.MeasureProbability()]
    return qandle.Circuit(layers, num_qubits=problem.qubits)


def zeros(problem: Problem) -> Tensor:
    return torch.zeros(problem.weights.shape[1:])
