// Photos are made small before they wait for the network: 12 MB from the camera become some 300 kB.
//
// Drawing on a canvas also drops what the camera wrote into the file: place, owner, device.

const LONG_SIDE_PX = 1600;
const QUALITY = 0.82;

/**
 * @param {File} file
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export async function shrinkPhoto(file) {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const factor = Math.min(1, LONG_SIDE_PX / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(picture.width * factor);
  canvas.height = Math.round(picture.height * factor);
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  if (!blob) throw new Error('photo could not be encoded');
  return { name: `photo-${Date.now()}.jpg`, blob };
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
