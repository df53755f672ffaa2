// Images in Docker: status, list, pull, remove, and the locally made image of the sandbox.

import { Readable } from "node:stream";
import type Docker from "dockerode";
import type { ImageInfo, Runtime } from "../runtime.js";
import { imageInfoOf, imageOrigin } from "./convert.js";
import { statusCodeOf, translateError } from "./errors.js";
import { pauseImageArchive, pauseImageName } from "./pause-image.js";

interface PullMessage {
  status?: string;
  progress?: string;
  id?: string;
  error?: string;
}

type ImageMethods = Pick<Runtime, "imageStatus" | "listImages" | "pullImage" | "removeImage" | "imagesInUse"> & {
  /** Makes sure the sandbox's image is there, once; forget() makes the next call look again. */
  ensurePauseImage(): Promise<void>;
  forgetPauseImage(): void;
};

/** The image half of the Docker runtime. */
export function dockerImages(docker: Docker): ImageMethods {
  let pauseImage: Promise<void> | undefined;

  async function imageStatus(image: string): Promise<ImageInfo | undefined> {
    try {
      return imageInfoOf(await docker.getImage(image).inspect());
    } catch (error) {
      if (statusCodeOf(error) === 404) return undefined;
      return translateError(error);
    }
  }

  async function listImages(): Promise<ImageInfo[]> {
    const images = await docker.listImages().catch(translateError);
    return images.map((image) => ({
      id: image.Id,
      tags: (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>"),
      digests: (image.RepoDigests ?? []).filter((digest) => digest !== "<none>@<none>"),
      sizeBytes: image.Size,
      user: "",
      origin: imageOrigin(image),
      pinned: (image.RepoTags ?? []).includes(pauseImageName),
    }));
  }

  async function follow(stream: NodeJS.ReadableStream, onMessage: (message: PullMessage) => void): Promise<void> {
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") onMessage(JSON.parse(line) as PullMessage);
    }
  }

  const pullImage: Runtime["pullImage"] = async (image, { auth, signal, onProgress }) => {
    const options = {
      abortSignal: signal,
      ...(auth === undefined
        ? {}
        : {
            authconfig: { username: auth.username, password: auth.password, serveraddress: auth.serverAddress },
          }),
    };
    const stream: NodeJS.ReadableStream = await docker.pull(image, options).catch(translateError);
    let failure: string | undefined;
    await follow(stream, (message) => {
      if (message.error) failure = message.error;
      else onProgress?.({ message: [message.id, message.status, message.progress].filter(Boolean).join(" ") });
    });
    if (failure !== undefined) throw new Error(failure);
    const pulled = await imageStatus(image);
    if (!pulled) throw new Error(`image ${image} is not present after the pull`);
    return pulled.id;
  };

  async function removeImage(id: string): Promise<void> {
    const image = await imageStatus(id);
    if (!image) return;
    // An image of several repositories goes only when each of its names has gone.
    for (const name of [...image.tags, ...image.digests, id]) {
      await docker
        .getImage(name)
        .remove()
        .catch((error: unknown) => (statusCodeOf(error) === 404 ? undefined : translateError(error)));
    }
  }

  async function imagesInUse(): Promise<ReadonlySet<string>> {
    const containers = await docker.listContainers({ all: true }).catch(translateError);
    return new Set(containers.map(({ ImageID }) => ImageID));
  }

  async function loadPauseImage(): Promise<void> {
    if (await imageStatus(pauseImageName)) return;
    const stream = await docker.loadImage(Readable.from([pauseImageArchive(process.arch)])).catch(translateError);
    await follow(stream, ({ error }) => {
      if (error) throw new Error(error);
    });
  }

  return {
    imageStatus,
    listImages,
    pullImage,
    removeImage,
    imagesInUse,
    ensurePauseImage: () => {
      pauseImage ??= loadPauseImage().catch((error: unknown) => {
        pauseImage = undefined;
        throw error;
      });
      return pauseImage;
    },
    forgetPauseImage: () => {
      pauseImage = undefined;
    },
  };
}
