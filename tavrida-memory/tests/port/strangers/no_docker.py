"""A plugin of pytest: the tests of aio-pika get the broker on 127.0.0.1 in place of a container."""

from tests import docker_client


class Client:
    def __init__(self, *_):
        pass

    def run(self, image, ports, environment=None):
        return docker_client.ContainerInfo(id="none", host="127.0.0.1", ports={"5672/tcp": 5672, "5671/tcp": 5671})

    def kill(self, *_):
        pass

    def remove(self, *_):
        pass


docker_client.check_docker_available = lambda: None
docker_client.DockerClient = Client
